const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Whether a request's `Host` names this machine. A page in a browser can make a name of its own resolve to 127.0.0.1 (DNS rebinding);
 * the name then stands in `Host`, and nothing else tells such a request apart.
 */
export function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && LOOPBACK_NAMES.has(host.replace(/:\d+$/, '').toLowerCase())
}
