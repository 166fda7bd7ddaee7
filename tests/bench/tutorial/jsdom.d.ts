/** What the tutorial uses of jsdom. Its published types bring the types of a browser into the whole program. */
declare module 'jsdom' {
  interface PageElement {
    getAttribute(name: string): string | null
  }
  export class JSDOM {
    constructor(html: string, options: { url: string })
    readonly window: { document: { querySelector(selector: string): PageElement | null } }
  }
}
