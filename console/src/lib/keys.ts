import { useLayoutEffect } from 'preact/hooks'

type Bindings = Readonly<Record<string, (event: KeyboardEvent) => void>>

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName))

/** A button that was come to by keys: it is pressed by the space bar. */
const pressable = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches('button:focus-visible')

/** Keys that work wherever the focus is, but not while somebody types. `mod+k` is ⌘ or Ctrl. */
export function useKeys(bindings: Bindings): void {
  // before the next key can come
  useLayoutEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const mod = event.metaKey || event.ctrlKey
      const name = `${mod ? 'mod+' : ''}${event.key}`
      const act = bindings[name]
      if (act === undefined || event.altKey || (typing(event.target) && !mod && event.key !== 'Escape')) return
      // a dialog closes itself, and the page behind it is not there for the keys meanwhile
      if (document.querySelector('dialog[open]') !== null) return
      if (event.key === ' ' && pressable(event.target)) return
      event.preventDefault()
      act(event)
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  })
}
