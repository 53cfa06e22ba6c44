import '@fontsource-variable/instrument-sans/wght.css'
import '@fontsource/ibm-plex-mono/latin-400.css'
import '@fontsource/ibm-plex-mono/latin-500.css'
import 'uplot/dist/uPlot.min.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/flow.css'
import './styles/pages.css'
import './styles/narrow.css'
import { render } from 'preact'
import { App } from './App.tsx'

render(<App />, document.getElementById('app') as HTMLElement)
