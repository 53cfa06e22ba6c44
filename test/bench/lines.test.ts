import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

const bench = (...args: string[]) => spawnSync(process.execPath, ['bench/main.ts', ...args], { encoding: 'utf8' })

/** What a line of each suite has, besides what is its own. */
const common = ['suite', 'case', 'subject', 'variant', 'cores', 'node', 'versions', 'commit']
const throughput = ['records', 'seconds', 'recordsPerSecond', 'cpuSeconds', 'peakRssMb', 'spread', 'runs']

describe('what the suites print', function () {
  this.timeout(120_000)

  for (const [args, wanted] of [
    [
      ['ceilings', 'filter', '--warm-up', '1000'],
      [...throughput, 'recordsPerCpuSecond', 'correct', 'checksum'],
    ],
    [
      ['nexmark', 'q0'],
      [...throughput, 'recordsPerCpuSecond', 'correct', 'checksum', 'publishedFlinkPerCore'],
    ],
    [['micro', 'time'], throughput],
    [
      ['scale', 'steps', '--records', '1000'],
      [...throughput, 'recordsPerCpuSecond', 'correct', 'checksum', 'x'],
    ],
    [
      ['skew', 'two-phase'],
      ['records', 'ratio', 'spread', 'runs', 'correct'],
    ],
  ] as const) {
    it(`${args[0]}: takes a case, --seconds, --runs and --json, and prints an object a line`, () => {
      const { status, stdout, stderr } = bench(...args, '--seconds', '0.05', '--runs', '1', '--json')
      assert.equal(status, 0, stderr)
      const lines = stdout.split('\n')
      assert.equal(lines.pop(), '')
      assert.ok(lines.length > 0)
      for (const text of lines) {
        const line = JSON.parse(text) as Record<string, unknown>
        assert.deepEqual(
          [...common, ...wanted].filter((name) => line[name] === undefined),
          [],
          text,
        )
        assert.equal(line['suite'], args[0])
      }
    })
  }

  it('refuses numbers that are none, and cases that there are not', () => {
    for (const args of [
      ['nexmark', 'q0', '--events', 'abc'],
      ['nexmark', 'q0', '--runs', '0'],
      ['nexmark', '--generate', 'x'],
      ['skew', '--records', '1.5'],
      ['skew', 'nothing'],
      ['latency', 'embedded', '--seconds', 'x'],
      ['nothing'],
    ]) {
      const { status, stdout, stderr } = bench(...args)
      assert.deepEqual([status, stdout], [2, ''], args.join(' '))
      assert.notEqual(stderr, '')
    }
  })

  it('ends in silence where nobody reads on', async () => {
    const child = spawn(process.execPath, ['bench/main.ts', 'nexmark', '--generate', '20000'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (part: string) => (complaint += part))
    child.stdout.once('data', () => child.stdout.destroy())
    const [code] = (await once(child, 'close')) as [number]
    assert.deepEqual([code, complaint], [0, ''])
  })
})
