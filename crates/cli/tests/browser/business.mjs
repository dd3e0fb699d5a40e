// Something to look at: a month in which a shop did well.

import { writeFileSync } from 'node:fs'
import { ordermill } from './session.mjs'

const PRODUCTS = [
  ['TEA-1', 'Teapot, 1.2 l', '34.90'],
  ['CUP-4', 'Cups, set of four', '28.00'],
  ['GRY-2', 'Earl Grey, 250 g', '12.50'],
  ['SEN-3', 'Sencha, 100 g', '9.80'],
  ['STR-1', 'Strainer', '6.40'],
  ['TIN-7', 'Tin for tea', '14.00'],
]
const CUSTOMERS = ['Ann Archer', 'Bob Baker', 'Cleo Carter', 'Dan Dyer', 'Eve Ellis', 'Finn Foster', 'Gwen Gray']

/** Takes in the orders of the 30 days before today, in the states that they have come to. */
export function aMonthOfBusiness() {
  const rows = ['external_order_id,order_placed_at,currency,product_sku,product_name,qty,unit_price,customer_email,customer_name']
  for (let back = 30; back > 0; back--) {
    const day = new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10)
    for (let number = 0; number < 3 + ((back * 7) % 5); number++) rows.push(...order(back, day, number))
  }
  writeFileSync('month.csv', rows.join('\n'))
  ordermill(['import', 'month.csv', '--workflow', 'historical', '--initial-stock', '500'])
}

function order(back, day, number) {
  const customer = CUSTOMERS[(back * 3 + number * number) % CUSTOMERS.length]
  const email = `${customer.split(' ')[0].toLowerCase()}@example.com`
  const lines = PRODUCTS.filter((_, index) => (back + number + index) % 3 === 0)
  return lines.map(([sku, name, price], index) => {
    const quantity = 1 + ((back + number * 2 + index) % 4)
    return `M-${31 - back}-${number},${day}T1${number}:30:00,EUR,${sku},"${name}",${quantity},${price},${email},${customer}`
  })
}
