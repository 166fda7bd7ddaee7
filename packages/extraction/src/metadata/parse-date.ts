import type { ArticleDate } from '@copydesk/contracts'
import { MONTHS } from './month-names.ts'

/** A moment as a page writes it. Without a zone, its clock is taken for UTC's. */
export type ParsedDate = Pick<ArticleDate, 'at' | 'date' | 'precision' | 'offset'>

/** Zones that pages name, where the name means one only. */
const ZONES: Record<string, string> = {
  z: '+00:00',
  utc: '+00:00',
  gmt: '+00:00',
  est: '-05:00',
  edt: '-04:00',
  cst: '-06:00',
  cdt: '-05:00',
  mst: '-07:00',
  mdt: '-06:00',
  pst: '-08:00',
  pdt: '-07:00',
  et: '',
  cet: '+01:00',
  cest: '+02:00',
  jst: '+09:00',
  kst: '+09:00',
  aest: '+10:00',
  aedt: '+11:00',
}

const TIME = String.raw`(?<hour>\d{1,2})[:.h時시]\s?(?<minute>\d{2})(?:分|분)?(?:[:.](?<second>\d{2})(?:[.,]\d+)?)?\s*(?<half>[ap]\.?m\.?)?`
const ZONE = String.raw`(?:\s*\(?(?<zone>z|utc|gmt|[ecmp][sd]t|cest|cet|[jk]st|ae[sd]t|et)?\)?(?<offset>[+-]\d{2}:?(?:\d{2})?)?\)?)`
const AFTER = String.raw`(?:[\sT,|·–—-]*(?:at|um|à|a las|alle|às|kl\.?)?\s*${TIME}${ZONE}(?:\s*(?:uhr|h|ist))?)?`
const MONTH = String.raw`(?<name>\p{L}{3,12})\.?`
const WEEKDAY = String.raw`(?:[\p{L}]{2,12}\.?,?\s+)?`

/** Each shape in which a date is read, most exact first. All take the whole text. */
const SHAPES: readonly RegExp[] = [
  shape(String.raw`(?<year>\d{4})[-/.](?<month>\d{1,2})[-/.](?<day>\d{1,2})${AFTER}`),
  shape(String.raw`(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})(?:T?(?<hour>\d{2})(?<minute>\d{2})(?<second>\d{2})?${ZONE})?`),
  shape(String.raw`(?<year>\d{4})\s?[年년]\s?(?<month>\d{1,2})\s?[月월]\s?(?<day>\d{1,2})\s?[日일](?:\s?[(（][^)）]{1,4}[)）])?${AFTER}`),
  shape(
    String.raw`${WEEKDAY}(?<day>\d{1,2})(?:st|nd|rd|th|er|\.|º)?[\s-]+(?:de\s+|of\s+)?${MONTH}[\s,-]+(?:de\s+|del\s+)?(?<year>\d{4})${AFTER}`,
  ),
  shape(String.raw`${WEEKDAY}${MONTH}\s+(?<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?<year>\d{4})${AFTER}`),
  shape(String.raw`(?<day>\d{1,2})\.(?<month>\d{1,2})\.(?<year>\d{4})${AFTER}`),
]

function shape(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`, 'iu')
}

/** Reads one date; null where the text is none, or says no whole day, or can be read as two different days (01/02/2024). */
export function parseDate(text: string): ParsedDate | null {
  const trimmed = text.normalize('NFKC').replace(/\s+/g, ' ').trim()
  if (trimmed.length > 100) return null
  if (/^1\d{9}(?:\d{3})?$/.test(trimmed)) return fromEpoch(Number(trimmed))
  for (const pattern of SHAPES) {
    const found = pattern.exec(trimmed)?.groups
    const date = found === undefined ? null : fromParts(found)
    if (date !== null) return date
  }
  return null
}

/** A number of seconds, or of milliseconds, since 1970. */
function fromEpoch(number: number): ParsedDate {
  const at = new Date(number > 1e11 ? number : number * 1000).toISOString()
  return { at, date: at.slice(0, 10), precision: 'second', offset: '+00:00' }
}

function fromParts(parts: Record<string, string | undefined>): ParsedDate | null {
  const [year, day] = [Number(parts['year']), Number(parts['day'])]
  const month = parts['month'] === undefined ? MONTHS.get(parts['name']?.toLowerCase() ?? '') : Number(parts['month'])
  if (month === undefined || !isDay(year, month, day)) return null
  const date = `${year}-${pad(month)}-${pad(day)}`
  if (parts['hour'] === undefined) return { at: `${date}T00:00:00.000Z`, date, precision: 'day', offset: null }

  const [hour, minute, second] = [hourOf(parts), Number(parts['minute']), Number(parts['second'] ?? 0)]
  if (!isTime(hour, minute, second)) return { at: `${date}T00:00:00.000Z`, date, precision: 'day', offset: null }
  const offset = offsetOf(parts)
  const local = Date.UTC(year, month - 1, day, hour, minute, second)
  const at = new Date(local - minutesOf(offset) * 60_000).toISOString()
  // 24:00 is on the next day of the page's own calendar.
  const localDate = hour === 24 ? new Date(local).toISOString().slice(0, 10) : date
  return { at, date: localDate, precision: parts['second'] === undefined ? 'minute' : 'second', offset }
}

/** A time of day; 24:00 too, the end of it (ISO 8601), and a leap second. */
function isTime(hour: number, minute: number, second: number): boolean {
  return (hour < 24 && minute < 60 && second <= 60) || (hour === 24 && minute === 0 && second === 0)
}

function hourOf(parts: Record<string, string | undefined>): number {
  const hour = Number(parts['hour'])
  if (parts['half'] === undefined) return hour
  return (hour % 12) + (parts['half'].toLowerCase().startsWith('p') ? 12 : 0)
}

function offsetOf(parts: Record<string, string | undefined>): string | null {
  const digits = parts['offset']?.replace(':', '')
  if (digits !== undefined) {
    const offset = `${digits.slice(0, 3)}:${digits.slice(3) || '00'}`
    return Math.abs(minutesOf(offset)) <= 14 * 60 ? offset : null
  }
  return ZONES[parts['zone']?.toLowerCase() ?? ''] || null
}

function minutesOf(offset: string | null): number {
  if (offset === null) return 0
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4))
  return offset.startsWith('-') ? -minutes : minutes
}

/** From the first newspapers to the day when this is read again. */
function isDay(year: number, month: number, day: number): boolean {
  if (year < 1600 || year > 2199 || month < 1 || month > 12 || day < 1) return false
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

function pad(number: number): string {
  return String(number).padStart(2, '0')
}
