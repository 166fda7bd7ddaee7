/**
 * An address as it may stand in a message, a log or an answer: a user name and password in it are hidden. For what is no address,
 * everything before the last `@` counts as one.
 */
export function hideUserinfo(text: string): string {
  const url = URL.parse(text)
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return text
  return text.replace(/^(\s*[a-z][a-z\d+.-]*:[\\/]*)?.*@/is, '$1…@')
}
