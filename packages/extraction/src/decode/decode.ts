import { isUtf8 } from 'node:buffer'
import { getBOMEncoding, labelToName, legacyHookDecode } from '@exodus/bytes/encoding.js'
import sniffEncoding from 'html-encoding-sniffer'

/** Sites put their meta charset behind kilobytes of scripts; the 1,024 bytes of the standard miss one case in ten. */
const PRESCAN_BYTES = 16 * 1024

export interface Decoded {
  text: string
  /** The encoding's name in lower case, as the Encoding standard spells it. */
  encoding: string
  /** What named it. `detected`: nothing did, and the bytes are UTF-8; `default`: nothing did. */
  source: 'bom' | 'transport' | 'declaration' | 'detected' | 'default'
}

/**
 * Turns bytes into text. HTML and XML by the WHATWG order (byte order mark, the answer's charset, the declaration inside), then UTF-8 where
 * the bytes are, else windows-1252. Plain text declares nothing inside, and servers guess: strict UTF-8 wins over the answer's charset.
 * Never throws: what can't be read becomes U+FFFD. U+0000 goes; in plain text CRLF and CR become LF.
 */
export function decode(bytes: Uint8Array, options: { contentType?: string | null; kind: 'html' | 'xml' | 'text' }): Decoded {
  const { encoding, source } = chooseEncoding(bytes, options.kind, charsetOf(options.contentType ?? null))
  const text = legacyHookDecode(bytes, encoding).replaceAll('\u0000', '')
  return { text: options.kind === 'text' ? text.replace(/\r\n?/g, '\n') : text, encoding, source }
}

function chooseEncoding(bytes: Uint8Array, kind: 'html' | 'xml' | 'text', charset: string | null): Omit<Decoded, 'text'> {
  const bom = getBOMEncoding(bytes)
  if (bom !== null) return { encoding: bom, source: 'bom' }
  if (kind === 'text' && isUtf8(bytes)) return { encoding: 'utf-8', source: 'detected' }
  if (charset !== null) return { encoding: charset, source: 'transport' }
  if (kind !== 'text') {
    const declared = sniffEncoding(bytes, {
      defaultEncoding: 'none',
      ...(kind === 'xml' ? { xml: true } : { maxPrescanBytes: PRESCAN_BYTES }),
    })
    if (declared !== 'none') return { encoding: declared.toLowerCase(), source: 'declaration' }
  }
  if (isUtf8(bytes)) return { encoding: 'utf-8', source: 'detected' }
  return { encoding: 'windows-1252', source: 'default' }
}

/** The charset of a Content-Type, as the standard names it; null where there is none or nobody knows it. */
export function charsetOf(contentType: string | null): string | null {
  const label = contentType?.match(/;\s*charset\s*=\s*["']?([^"';\s]+)/i)?.[1]
  return label === undefined ? null : (labelToName(label)?.toLowerCase() ?? null)
}
