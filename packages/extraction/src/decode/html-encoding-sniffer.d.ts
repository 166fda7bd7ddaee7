declare module 'html-encoding-sniffer' {
  interface SniffOptions {
    xml?: boolean
    transportLayerEncodingLabel?: string
    defaultEncoding?: string
    maxPrescanBytes?: number
  }
  function sniffEncoding(bytes: Uint8Array, options?: SniffOptions): string
  export = sniffEncoding
}
