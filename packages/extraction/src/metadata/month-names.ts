/** Month names as pages write them, in lower case, short forms too, each line one month. */
const NAMES = [
  'january jan januar jänner janvier janv enero ene janeiro gennaio gen januari stycznia января январь січня ocak',
  'february feb februar février févr fév febrero fevereiro fev febbraio februari lutego февраля февраль лютого şubat',
  'march mar märz mär mrz mars marzo março maart mrt marca марта март березня mart',
  'april apr avril avr abril abr aprile kwietnia апреля апрель квітня nisan',
  'may mai mayo maio maggio mag mei maj maja мая май травня mayıs',
  'june jun juni juin junio junho giugno giu czerwca июня июнь червня haziran',
  'july jul juli juillet juil julio julho luglio lug lipca июля июль липня temmuz',
  'august aug août agosto ago augustus augusti sierpnia августа август серпня ağustos',
  'september sep sept septembre septiembre setembro set settembre września сентября сентябрь вересня eylül',
  'october oct oktober okt octobre octubre outubro out ottobre ott października октября октябрь жовтня ekim',
  'november nov novembre noviembre novembro listopada ноября ноябрь листопада kasım',
  'december dec dezember dez décembre déc diciembre dic dezembro dicembre grudnia декабря декабрь грудня aralık',
]

/** Month name in lower case → 1 to 12. */
export const MONTHS: ReadonlyMap<string, number> = new Map(
  NAMES.flatMap((names, at) => names.split(' ').map((name): [string, number] => [name, at + 1])),
)
