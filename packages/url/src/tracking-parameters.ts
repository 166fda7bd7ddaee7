/**
 * Query parameters that say how a reader came, never what is shown. Only these are dropped from an article's key.
 *
 * The rule for a new one: it must mean tracking wherever it is met. A name that some site uses for its articles stays out, however often
 * others track with it (`ref`, `source`, `cid`, `ncid`, `icid`, `mod`, `spm`): a wrong merge loses an article, a missed one costs a repeat.
 * Families with short prefixes are listed by name for the same reason: `pk_no=1412361` is a newspaper's article number, not Matomo's.
 * Names are compared in lower case.
 */
const NAMES = new Set([
  // Google: ads, analytics across domains, search results, subscriptions, AMP viewer
  ...['gclid', 'gclsrc', 'dclid', 'gbraid', 'wbraid', 'gad_source', 'gad_campaignid', 'srsltid', '_ga', '_gl', '_gac'],
  ...['gaa_at', 'gaa_n', 'gaa_ts', 'gaa_sig', 'amp_js_v', 'amp_gsa', 'usqp'],
  // Facebook and Instagram
  ...['fbclid', 'fb_action_ids', 'fb_action_types', 'fb_source', 'fb_ref', 'mibextid', 'igsh', 'igshid'],
  // X, LinkedIn, Pinterest, Snapchat, Reddit, TikTok
  ...['twclid', 'ref_src', 'ref_url', '__twitter_impression', 'li_fat_id', 'epik', 'sccid', 'rdt_cid', 'ttclid'],
  // Microsoft, Yahoo, Yandex
  ...['msclkid', 'ocid', 'guccounter', 'guce_referrer', 'guce_referrer_sig', 'soc_src', 'soc_trk', 'yclid', 'ysclid', '_openstat'],
  // Newsletters: Mailchimp, Marketo, ConvertKit, Klaviyo, dotdigital, Drip, MailerLite, Eloqua
  ...[
    'mc_cid',
    'mc_eid',
    'mkt_tok',
    'ck_subscriber_id',
    '_kx',
    'dm_i',
    '__s',
    'ml_subscriber',
    'ml_subscriber_hash',
    'elqtrack',
    'elqtrackid',
  ],
  // Analytics: HubSpot, Adobe, AT Internet, Webtrekk, Branch, Echobox
  ...['hsctatracking', 's_cid', 's_kwcid', 'ef_id', 'cmp', 'cmpid', 'xtor', 'wt_mc', 'wt_zmc', 'wt.mc_id'],
  ...['_branch_match_id', '_branch_referrer', 'echobox'],
  // Affiliate and content networks: Impact, Taboola, Outbrain
  ...['irclickid', 'irgwc', 'tblci', 'dicbo', 'vmcid', 'wickedid'],
  // Matomo's older names
  ...[
    'pk_campaign',
    'pk_kwd',
    'pk_keyword',
    'pk_source',
    'pk_medium',
    'pk_content',
    'pk_cid',
    'pk_cpn',
    'pk_group',
    'pk_placement',
    'pk_vid',
  ],
  // comScore
  ...['ns_source', 'ns_campaign', 'ns_mchannel', 'ns_linkname', 'ns_fee'],
  // Campaigns within a site
  ...['itm_source', 'itm_medium', 'itm_campaign', 'itm_content', 'itm_term', 'itm_channel', 'itm_audience'],
  // Sessions that the server itself puts into the address of a reader without cookies
  ...['phpsessid', 'jsessionid'],
])

const FAMILIES = [
  // Urchin and Google Analytics; Matomo; HubSpot; Omeda; Vero
  /^(?:utm_|mtm_|_hs|__hs|oly_|vero_)./,
  // AT Internet (Piano)
  /^at_(?:medium|campaign|custom|link|ptr_name|format|bbc_team|variant|channel|creation|network|platform|recipient|send|emailtype|source|term)/,
  // Further networks' click ids
  /^[a-z]{1,3}clid$/,
]

/** Parameters that so many sites name their articles by that no rule may ever drop them. */
const NEVER = new Set(['id', 'p', 'article', 'story', 'page', 'sid', 'lang', 'v', 'q'])

/** The parameters of a query (without its `?`) as written, empty ones left out. */
export function parameters(query: string): string[] {
  return query.split('&').filter((parameter) => parameter !== '')
}

/** Whether `name=value`, as it stands in a query, only tracks. */
export function isTrackingParameter(parameter: string): boolean {
  // Links copied out of markup keep its `&amp;`.
  const [, name, value = ''] = /^(?:amp;)*([\w.-]+)(?:=(.*))?$/.exec(parameter.toLowerCase()) ?? []
  // `?utm_source=rss?id=5`, `?utm_source=rss;id=5`: badly joined, and the article's own parameter is inside.
  if (name === undefined || /[?;].*=/.test(value)) return false
  if (NEVER.has(name)) return false
  return NAMES.has(name) || FAMILIES.some((family) => family.test(name))
}
