/** Words of buttons and menus around an article. A line of nothing else is chrome. */
const CHROME_WORDS = new Set(
  `print printable version email e-mail mail share tweet facebook twitter linkedin whatsapp pinterest reddit save bookmark copy link close
  menu search home login log sign in out up subscribe register account comment comments reply like follow skip to main content navigation
  advertisement advertising sponsored back top next previous page text size a+ a- listen more this article story
  drucken teilen merken anzeige werbung startseite suche imprimer partager publicité accueil imprimir compartir publicidad inicio
  stampa condividi pubblicità afdrukken delen skriv ut dela
  印刷 シェア 広告 打印 分享 广告 인쇄 공유 طباعة مشاركة печать поделиться реклама`.split(/\s+/),
)

/** Lines that say so themselves; short ones only, since articles have sentences about copyright too. */
const CHROME_LINES =
  /^(?:©.*|\(c\)\s.*|copyright\s+(?:©|\(c\)|\d).*|all rights reserved\.?|read more\b.*|click here\b.*|see also:?|related(?: \w+)?:?|sections?:?|tags?:.*|topics?:?.*|filed under\b.*|share this\b.*|follow us\b.*|sign up\b.*)$/i
const LONGEST_CHROME = 60

/** A way through the site: Home > News > World. */
const BREADCRUMB = /^[^.!?>»›|/]{1,30}(?:(?:\s[>»›]\s[^.!?>»›]{1,30})+|(?:\s[|/]\s[^.!?|/]{1,30}){2,})$/u

/** Tells whether a line that stands by itself belongs to the page around the article. */
export function isChrome(line: string): boolean {
  const text = line.trim()
  if (isButtons(text)) return true
  return text.length <= LONGEST_CHROME && (CHROME_LINES.test(text) || BREADCRUMB.test(text))
}

/** Tells whether a line is nothing but words of buttons. */
export function isButtons(line: string): boolean {
  const words = line
    .toLowerCase()
    .split(/[\s|·•,/]+/)
    .filter((word) => word !== '')
  return words.length <= 8 && words.every((word) => CHROME_WORDS.has(word))
}
