/** What is known of a cluster, by whoever started it and whoever finds it. */
export interface NodeSpec {
  readonly id: number
  readonly port: number
  readonly controllerPort: number
  /** Listeners with TLS, with SASL, with both. */
  readonly secure?: { readonly tls: number; readonly sasl: number; readonly saslTls: number }
  /** A listener that tells clients another port: a proxy's. */
  readonly proxied?: { readonly port: number; readonly advertised: number }
}

export interface ClusterSpec {
  readonly id: string
  readonly dir: string
  readonly nodes: readonly NodeSpec[]
  /** See `ClusterKind`. */
  readonly measured?: boolean
  /** Port of the ZooKeeper that the cluster is kept in; missing: its nodes keep it themselves. */
  readonly zookeeper?: number
}
