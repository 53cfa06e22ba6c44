/** Lets code of the documentation import the package by its name: `node --import` this file. */
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

const entries: Readonly<Record<string, string>> = {
  dhaara: 'src/index.ts',
  'dhaara/testing': 'src/testing/index.ts',
  'dhaara/connectors': 'src/connectors/index.ts',
  'dhaara/rx': 'src/connectors/rx/index.ts',
}

registerHooks({
  resolve(name, context, next) {
    const entry = entries[name]
    return next(entry === undefined ? name : pathToFileURL(entry).href, context)
  },
})
