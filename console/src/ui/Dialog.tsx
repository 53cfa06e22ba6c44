import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface Props {
  readonly title: string
  readonly close: () => void
  /** It stays until it is answered. */
  readonly stays?: boolean
  readonly children: ComponentChildren
}

/** The browser's own: it holds the focus, and Escape closes it. */
export function Dialog({ title, close, stays = false, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog
      ref={dialog}
      aria-label={title}
      onClose={() => (stays ? dialog.current?.showModal() : close())}
      onClick={(event) => {
        if (event.target === dialog.current && !stays) close()
      }}
    >
      {children}
    </dialog>
  )
}
