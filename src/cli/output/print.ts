/** Writes to standard output, and waits until it is taken. A reader that has gone (`| head`) is no error. */
export function print(text: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.once('error', () => resolve())
    process.stdout.write(text, () => resolve())
  })
}
