import type { Attributes, Tracer } from '@opentelemetry/api'

/**
 * Spans of what an app does besides processing: checkpoints and starts. They go to whatever the OpenTelemetry API of the process is
 * set up with; where the package is not installed there are none. Records are not spanned: the trace context of each travels with
 * its headers (`traceparent`), from inputs to outputs.
 */
export class Tracing {
  private readonly app: string
  private tracer: Tracer | undefined

  constructor(app: string) {
    this.app = app
  }

  /** To be awaited before the first span: the package is optional, and found or not. */
  async load(): Promise<void> {
    try {
      const { trace } = await import('@opentelemetry/api')
      this.tracer = trace.getTracer('dhaara')
    } catch {
      // without the package there are no spans
    }
  }

  /** Something that has just ended, and took so many ms. */
  took(name: string, ms: number, attributes: Attributes): void {
    if (this.tracer === undefined) return
    const end = Date.now()
    const started = { startTime: end - ms, attributes: { 'dhaara.application': this.app, ...attributes } }
    this.tracer.startSpan(name, started).end(end)
  }
}
