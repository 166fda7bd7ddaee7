import { parseDate } from '../metadata/parse-date.ts'

/** Words that come before a name, in the languages of most print views. */
const BYLINE = /^(?:by|von|par|por|di|door|av|written by|story by)\s+\p{Lu}/iu
const DATE_LABEL =
  /^(?:published|updated|posted|last (?:updated|modified)|date|first published|erschienen|publié|publicado|pubblicato)\b[\s:]*(?:on|at|am|le|el|il)?\s*/i

/** By Jane Doe; not a sentence that begins with the word. */
export function looksLikeByline(line: string): boolean {
  return (
    line.length <= 100 &&
    line.split(/\s+/).length <= 10 &&
    BYLINE.test(line) &&
    /^\S+(?:\s\S+)*[^.!?:;]$/u.test(line) &&
    /\p{Lu}/u.test(line.replace(/^\S+\s+/, ''))
  )
}

/** A line that is a date and nothing else, with or without a word that says which. */
export function looksLikeDateLine(line: string): boolean {
  return line.length <= 80 && parseDate(line.replace(DATE_LABEL, '')) !== null
}
