import { describe, expect, test } from 'vitest'
import { isTrackingParameter } from './tracking-parameters.ts'

describe('isTrackingParameter', () => {
  test.each([
    ...[
      'utm_source=x',
      'utm_id=1',
      'gclid=1',
      'fbclid=1',
      'msclkid=1',
      'yclid=1',
      'ysclid=1',
      'twclid=1',
      'ttclid=1',
      'dclid=1',
      'gclsrc=aw',
    ],
    ...[
      'wbraid=1',
      'gbraid=1',
      'srsltid=1',
      'igsh=1',
      'igshid=1',
      'li_fat_id=1',
      'mc_cid=1',
      'mc_eid=1',
      '_ga=1',
      '_gl=1',
      '_hsenc=1',
      '_hsmi=1',
    ],
    ...[
      '__hstc=1',
      '__hssc=1',
      '__hsfp=1',
      'oly_anon_id=1',
      'oly_enc_id=1',
      'mkt_tok=1',
      'vero_id=1',
      'vero_conv=1',
      'ns_campaign=1',
      'ns_mchannel=1',
    ],
    ...[
      'itm_source=1',
      'pk_campaign=1',
      'pk_kwd=1',
      'mtm_campaign=1',
      'mtm_kwd=1',
      'at_medium=1',
      'at_custom4=1',
      'at_link_id=1',
      'at_ptr_name=1',
    ],
    ...['xtor=RSS-1', 'ref_src=twsrc%5Etfw', 'CMP=share_btn_tw', 'cmpid=1', 'ocid=1', 's_cid=1', 'wt_mc=1', 'amp;utm_source=1'],
  ])('drops %s', (parameter) => {
    expect(isTrackingParameter(parameter)).toBe(true)
  })

  test.each([
    'utm_',
    'utm=1',
    'pk_no=1',
    'ns_id=1',
    'at_id=1',
    'itm_id=1',
    'clid=1',
    'ref=1',
    'amp=1',
    'amp;id=1',
    'sid=1',
    '=utm_source',
    'x[utm_source]=1',
  ])('keeps %s', (parameter) => {
    expect(isTrackingParameter(parameter)).toBe(false)
  })
})
