/** Holds a directory, with a request that only it answers, until its input ends. */
import { openEmbedded } from '../../../../src/connectors/broker/index.ts'
import { embeddedBroker } from '../../../../src/connectors/embedded/index.ts'

const lease = await openEmbedded(embeddedBroker({ dir: process.argv[2]! }))
lease.handle('whoami', () => ({ pid: process.pid }))
process.stdout.write('ready\n')
process.stdin.on('end', () => void lease.release())
process.stdin.resume()
