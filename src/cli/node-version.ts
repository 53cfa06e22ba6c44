/** As `engines` of the package has it: 22 from 22.22 on, and all from 24.6 on. Runs on Nodes that can run nothing else of dhaara. */
export function runsOn(node: string): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number)
  return (major === 22 && minor >= 22) || (major === 24 && minor >= 6) || major > 24
}
