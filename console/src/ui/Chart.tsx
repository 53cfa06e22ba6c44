import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { useStore } from '../lib/store.ts'
import { colour, theme } from '../lib/theme.ts'

export interface Line {
  readonly name: string
  /** A colour of the style sheet. */
  readonly colour: string
  readonly filled?: boolean
}

interface Props {
  readonly title: string
  readonly lines: readonly Line[]
  /** Seconds, then a list for each line; null where there is nothing. */
  readonly data: readonly (readonly (number | null)[])[]
  readonly format: (value: number) => string
  readonly log?: boolean
}

/** All charts of a page show the same moment under the pointer. */
const sync = uPlot.sync('time')

/** A chart of the last minutes. */
export function Chart({ title, lines, data, format, log }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const colours = useStore(theme)
  useEffect(() => {
    const element = place.current as HTMLDivElement
    const made = new uPlot(optionsOf(element, { lines, format, log: log === true }), data as uPlot.AlignedData, element)
    plot.current = made
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: element.clientHeight }),
    )
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
    }
  }, [colours])
  useEffect(() => plot.current?.setData(data as uPlot.AlignedData), [data])
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        {lines.map((line, i) => (
          <span key={line.name} style={{ '--tone': `var(${line.colour})` }}>
            {line.name} <b>{lastOf(data[i + 1], format)}</b>
          </span>
        ))}
      </figcaption>
      <div ref={place} class="plot" />
    </figure>
  )
}

/** The axis of what has been nothing all the time. */
const least = 10

/** Lines between powers of ten say nothing that is worth their ink. */
const decades = (_: uPlot, values: readonly number[]): (number | null)[] =>
  values.map((value) => (Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6) ? value : null))

function lastOf(values: readonly (number | null)[] | undefined, format: (value: number) => string): string {
  const last = values?.findLast((value) => value !== null)
  return last === undefined || last === null ? '–' : format(last)
}

function optionsOf(
  element: HTMLElement,
  { lines, format, log }: { lines: readonly Line[]; format: (value: number) => string; log: boolean },
): uPlot.Options {
  const font = '11px "IBM Plex Mono"'
  const axis = { stroke: colour('--faint'), font, grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } }
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    legend: { show: false },
    cursor: { sync: { key: sync.key }, points: { size: 6 }, drag: { x: false, y: false } },
    // half of a time's label stands right of the last line
    padding: [8, 26, 0, 0],
    scales: { y: log ? { distr: 3 } : { range: (_, _min, max) => [0, max > 0 ? max * 1.15 : least] } },
    axes: [
      {
        ...axis,
        space: 90,
        values: (_, seconds) => seconds.map((at) => new Date(at * 1000).toLocaleTimeString('en-GB')),
      },
      {
        ...axis,
        ...(log ? { grid: { ...axis.grid, filter: decades } } : {}),
        size: 72,
        space: 30,
        values: (_, values) => values.map((value) => (value === null ? '' : value === 0 ? '0' : format(value))),
      },
    ],
    series: [
      {},
      ...lines.map(({ name, colour: variable, filled }) => ({
        label: name,
        stroke: colour(variable),
        width: 1.6,
        points: { show: false },
        spanGaps: true,
        ...(filled === true ? { fill: `${colour(variable)}1f` } : {}),
      })),
    ],
  }
}
