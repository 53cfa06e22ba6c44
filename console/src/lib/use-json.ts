import { useEffect, useState } from 'preact/hooks'
import { getJson, Problem } from './api.ts'

export interface Loaded<T> {
  readonly value: T | undefined
  readonly problem: string | undefined
}

/**
 * Asks for JSON, again when the path changes, and each so many ms. What was told stays where only the part behind a # has changed.
 * @param path undefined: nothing is asked
 */
export function useJson<T>(path: string | undefined, every?: number): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>({ value: undefined, problem: undefined })
  const what = path?.replace(/#.*/, '')
  useEffect(() => setLoaded({ value: undefined, problem: undefined }), [what])
  useEffect(() => {
    if (path === undefined) return undefined
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const load = async (): Promise<void> => {
      try {
        const value = await getJson<T>(path, stop.signal)
        if (!stop.signal.aborted) setLoaded({ value, problem: undefined })
      } catch (error) {
        if (stop.signal.aborted) return
        setLoaded((now) => ({ ...now, problem: error instanceof Problem ? error.message : String(error) }))
      }
      if (every !== undefined && !stop.signal.aborted) timer = setTimeout(() => void load(), every)
    }
    void load()
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [path, every])
  return loaded
}
