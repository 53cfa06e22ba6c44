import type { StateContext } from '../../../dsl/process/types.ts'
import type { ProcessServices } from './process-services.ts'

/** What any stateful user code gets of its task. */
export function stateContext(services: ProcessServices): StateContext {
  const { clock, wall } = services
  return {
    taskId: services.taskId,
    get streamTime() {
      return clock.streamTime
    },
    get wallTime() {
      return wall.now()
    },
    get watermark() {
      return Math.max(clock.target, clock.w)
    },
    store: (handle) => services.store(handle) as never,
    metrics: {
      counter: (name) => services.counter(name),
      gauge: (name, read) => services.gauge(name, read),
    },
  }
}
