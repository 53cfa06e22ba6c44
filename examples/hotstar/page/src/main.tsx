import '@fontsource-variable/instrument-sans/wght.css'
import '@fontsource/ibm-plex-mono/latin-400.css'
import '@fontsource/ibm-plex-mono/latin-500.css'
import '../../../../console/src/styles/tokens.css'
import './page.css'
import { render } from 'preact'
import { App } from './App.tsx'

render(<App />, document.getElementById('app') as HTMLElement)
