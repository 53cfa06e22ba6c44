import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  directoryFormat,
  type DirectoryOptions,
  openDirectory,
  readOwner,
} from '../../../src/connectors/embedded/directory.ts'
import { temporaryDirectories } from './backends.ts'

const key = Buffer.from([9])

describe('openDirectory', () => {
  const directory = temporaryDirectories()
  let dir: string
  beforeEach(() => {
    dir = join(directory(), 'data')
  })

  const openAndClose = async (options?: DirectoryOptions): Promise<void> => (await openDirectory(dir, options)).close()
  const refused = (code: string, message: RegExp, options?: DirectoryOptions): Promise<void> =>
    assert.rejects(openAndClose(options), (error: Error & { code: string }) => {
      assert.equal(error.code, code)
      assert.match(error.message, message)
      assert.ok(error.message.includes(dir), error.message)
      return true
    })

  it('makes a directory, says who holds it, and lets go of it', async () => {
    const opened = await openDirectory(dir)
    assert.equal(readOwner(dir)!.pid, process.pid)
    opened.announce('/somewhere.sock')
    assert.equal(readOwner(dir)!.socket, '/somewhere.sock')
    await opened.close()
    assert.equal(readOwner(dir), undefined)
    assert.deepEqual(readdirSync(dir).sort(), ['db', 'dhaara.json'])
    await openAndClose()
  })

  it('takes what a crash while making it has left', async () => {
    mkdirSync(dir)
    writeFileSync(join(dir, 'dhaara.json.new'), '{"for')
    await openAndClose()
    writeFileSync(join(dir, 'dhaara.json'), JSON.stringify({ format: directoryFormat, ready: false }))
    rmSync(join(dir, 'db'), { recursive: true })
    await openAndClose()
    assert.equal(JSON.parse(readFileSync(join(dir, 'dhaara.json'), 'utf8')).ready, true)
  })

  it('leaves alone what is not its own', async () => {
    mkdirSync(dir)
    writeFileSync(join(dir, 'letter.txt'), 'dear')
    await refused('DHAARA_STATE_CORRUPT', /holds letter\.txt but no dhaara\.json/)
    assert.deepEqual(readdirSync(dir), ['letter.txt'])
  })

  it('refuses a file', async () => {
    writeFileSync(dir, '')
    await refused('DHAARA_STATE_IO', /cannot be used as a directory/)
  })

  it('refuses a directory that lost its database or parts of it', async () => {
    await openAndClose()
    const current = join(dir, 'db', 'CURRENT')
    const pointer = readFileSync(current, 'utf8')
    rmSync(current)
    await refused('DHAARA_STATE_CORRUPT', /db\/CURRENT\) is gone.*Restore it/)
    writeFileSync(current, 'nonsense\n')
    await refused('DHAARA_STATE_CORRUPT', /./)
    writeFileSync(current, pointer)
    rmSync(join(dir, 'db', pointer.trim()))
    await refused('DHAARA_STATE_CORRUPT', /./)
    assert.equal(existsSync(join(dir, 'owner.json')), false)
  })

  it('refuses a directory whose write-ahead log was damaged after it was closed, and says how to go on', async () => {
    const logOf = () => join(dir, 'db', readdirSync(join(dir, 'db')).find((name) => name.endsWith('.log')) as string)
    const harms: readonly ((log: string) => void)[] = [
      (log) => writeFileSync(log, readFileSync(log).subarray(0, -20)),
      (log) => {
        const bytes = readFileSync(log)
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 0xff
        writeFileSync(log, bytes)
      },
      (log) => rmSync(log),
    ]
    for (const harm of harms) {
      rmSync(dir, { recursive: true, force: true })
      const opened = await openDirectory(dir)
      for (let i = 0; i < 20; i++) {
        const batch = opened.backend.batch()
        batch.put(Buffer.from([9, i]), Buffer.alloc(100, i))
        batch.commit()
      }
      await opened.close()
      harm(logOf())
      await refused(
        'DHAARA_STATE_CORRUPT',
        /holds \d+ of the \d+ rows.*write-ahead log \(db\/\*\.log\).*take "writes" out/,
      )
      await refused('DHAARA_STATE_CORRUPT', /holds \d+ of the \d+ rows/)
      const { writes: _, ...rest } = JSON.parse(readFileSync(join(dir, 'dhaara.json'), 'utf8')) as { writes: number }
      writeFileSync(join(dir, 'dhaara.json'), JSON.stringify(rest))
      await openAndClose()
    }
  })

  it('refuses a format file that says nothing', async () => {
    await openAndClose()
    for (const content of ['', 'null', '{"format":"one","ready":true}', '{"format":1']) {
      writeFileSync(join(dir, 'dhaara.json'), content)
      await refused('DHAARA_STATE_CORRUPT', /dhaara\.json is unreadable/)
    }
  })

  it('refuses a newer format, and an older one that it cannot bring up', async () => {
    await openAndClose({ format: 3 })
    await refused('DHAARA_STATE_VERSION', /format 3, written by a newer version; this one reads 2/, { format: 2 })
    await refused('DHAARA_STATE_VERSION', /too old/, { format: 5, migrations: new Map([[4, () => undefined]]) })
  })

  it('brings an older format up, step by step, once', async () => {
    await openAndClose({ format: 1 })
    const ran: number[] = []
    const migrations = new Map(
      [1, 2].map((from) => [
        from,
        (backend: { batch(): { put(k: Buffer, v: Buffer): void; commit(): void } }) => {
          ran.push(from)
          const batch = backend.batch()
          batch.put(key, Buffer.from(`${from}`))
          batch.commit()
        },
      ]),
    )
    const opened = await openDirectory(dir, { format: 3, migrations })
    assert.equal(Buffer.from(opened.backend.get(key)!).toString(), '2')
    await opened.close()
    await openAndClose({ format: 3, migrations })
    assert.deepEqual(ran, [1, 2])
  })

  it('goes on with a migration that failed', async () => {
    await openAndClose({ format: 1 })
    let fails = true
    const migrations = new Map([
      [1, () => undefined],
      [
        2,
        () => {
          if (fails) throw new Error('no power')
        },
      ],
    ])
    await assert.rejects(openAndClose({ format: 3, migrations }), /no power/)
    fails = false
    assert.equal(JSON.parse(readFileSync(join(dir, 'dhaara.json'), 'utf8')).format, 2)
    await openAndClose({ format: 3, migrations })
  })
})
