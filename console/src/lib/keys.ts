import { useLayoutEffect } from 'preact/hooks'

type Bindings = Readonly<Record<string, (event: KeyboardEvent) => void>>

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName))

/** Keys that work wherever the focus is, but not while somebody types. `mod+k` is ⌘ or Ctrl. */
export function useKeys(bindings: Bindings): void {
  // before the next key can come
  useLayoutEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const mod = event.metaKey || event.ctrlKey
      const name = `${mod ? 'mod+' : ''}${event.key}`
      const act = bindings[name]
      if (act === undefined || event.altKey || (typing(event.target) && !mod && event.key !== 'Escape')) return
      event.preventDefault()
      act(event)
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  })
}
