// From an empty shop to a refund, by whoever opened the one-time link: what a shop does on its first day.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { PASSWORD, ask, ordermill, walk } from './session.mjs'

const ORDERS = `external_order_id,order_placed_at,currency,product_sku,product_name,qty,unit_price,customer_email
F-1,${today()},EUR,TEA-1,Teapot,2,34.90,ann@example.com
F-2,${today()},EUR,CUP-4,Cups,1,28.00,bob@example.com
F-3,${today()},EUR,CUP-4,Cups,many,28.00,cleo@example.com
F-4,${today()},EUR,TEA-1,Teapot,1,34.90,dan@example.com
`

await walk(async (session) => {
  const { page } = session
  await page.goto(process.env.LINK)
  await session.enter({ 'E-mail': 'owner@example.org', Password: PASSWORD }, 'Make the admin')
  await page.getByRole('heading', { name: 'No order has come yet' }).waitFor()

  // A file with a bad row: the others go through the whole workflow while the overview is looked at.
  writeFileSync('first.csv', ORDERS)
  assert.throws(() => ordermill(['import', 'first.csv', '--initial-stock', '10']), { status: 2 })
  await session.tile('Orders', '3')
  await session.tile('Net revenue', '132.70')
  await page.getByRole('row', { name: 'first.csv completed' }).getByText('4 of 4').waitFor()

  await page.getByRole('link', { name: 'Orders', exact: true }).click()
  await session.enter({ 'Order or customer': 'ann@example.com' }, 'Find')
  const order = page.getByRole('row', { name: 'native/F-1' })
  await order.getByText('confirmed').waitFor()
  await order.getByText('paid').waitFor()
  assert.equal(await page.getByRole('row', { name: 'F-3' }).count(), 0, 'a bad row is no order')

  const id = (await order.getByRole('link').first().getAttribute('href')).split('/').pop()
  await ask('POST', `/api/orders/${id}/ship`, { carrier: 'Post', tracking: 'RR1' })
  await page.reload()
  await order.getByText('shipped').waitFor()

  await page.getByRole('link', { name: 'Overview' }).click()
  await session.tile('Refund rate', '0.0 %')
  await ask('POST', '/api/refunds', { order_id: Number(id), amount: 3490, reason: 'a crack' })
  await session.tile('Net revenue', '97.80')
  await session.tile('Refund rate', '26.3 %')
  await session.look('journey-overview')
})

function today() {
  return new Date().toISOString().slice(0, 10)
}
