/** What an address says: the one to fetch, the article it stands for, its host and site. */
export { articleId } from './article-id.ts'
export { articleKey } from './article-key.ts'
export { fetchUrl } from './fetch-url.ts'
export { hideUserinfo } from './hide-userinfo.ts'
export { hostOf, registrableDomain, sameSite } from './host.ts'
export { isHomePage } from './is-home-page.ts'
export { isTrackingParameter } from './tracking-parameters.ts'
export { UrlError, type UrlErrorCode } from './url-error.ts'
