import { expect, test } from 'vitest'
import { hideUserinfo } from './hide-userinfo.ts'

test.each([
  ['https://reader:hunter2@news.example/a', 'https://…@news.example/a'],
  ['https://reader@news.example/a', 'https://…@news.example/a'],
  [' HTTPS:\\\\reader:hunter2@news.example', ' HTTPS:\\\\…@news.example'],
  ['ftp://reader:hunter2@news.example/a', 'ftp://…@news.example/a'],
  ['https://reader:hun/ter2@news.example/a', 'https://…@news.example/a'],
  ['https://rea der:hun\nter2@news.example/a', 'https://…@news.example/a'],
  ['https://reader:h@nter2@news.example/a', 'https://…@news.example/a'],
  ['reader:hunter2@news.example', 'reader:…@news.example'],
  ['//reader:hunter2@news.example', '…@news.example'],
])('the user name and password of %s are hidden', (text, shown) => {
  expect(hideUserinfo(text)).toBe(shown)
})

test.each(['https://news.example/@reader/a', 'https://news.example/a?mail=a@b.example#c@d', 'no address', 'ftp://news.example/a', ''])(
  '%s is shown as it is',
  (text) => {
    expect(hideUserinfo(text)).toBe(text)
  },
)
