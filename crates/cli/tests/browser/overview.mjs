// How business goes.

import assert from 'node:assert/strict'
import { aMonthOfBusiness } from './business.mjs'
import { ask, walk } from './session.mjs'

await walk(async (session) => {
  const { page } = session
  await session.signIn('viewer')
  await page.getByRole('heading', { name: 'No order has come yet' }).waitFor()
  await page.getByText(/^\d+ workers\.$/).waitFor()
  // Gone as soon as the page is loaded anew.
  await page.evaluate(() => (window.isStillHere = true))

  aMonthOfBusiness()
  await page.getByRole('cell', { name: 'Teapot' }).waitFor()
  assert.equal(await page.getByText('No order has come yet').count(), 0)
  const lines = [{ sku: 'TEA-1', quantity: 2 }]
  const order = { source: 'shop', external_id: 'A-1', customer: { email: 'jane@example.com' }, lines }
  await ask('POST', '/api/orders', order)
  await session.tile('Orders', '1')
  await session.tile('Net revenue', '69.80')
  assert.ok(await page.evaluate(() => window.isStillHere), 'it changed by itself')
  await session.look('overview')

  await page.getByRole('link', { name: 'As tables' }).click()
  await page.getByRole('row', { name: '69.80 EUR' }).waitFor()
  await page.getByRole('link', { name: '12 months' }).click()
  await page.getByRole('link', { name: '12 months', exact: true }).and(page.locator('[aria-current]')).waitFor()
  await session.look('overview-tables')
  await page.getByRole('link', { name: 'As bars' }).click()
  await page.getByRole('img', { name: 'Net revenue as bars' }).waitFor()
  await page.getByRole('link', { name: 'The day before' }).click()
  await session.tile('Orders', '5')
  await page.getByRole('link', { name: 'Today' }).click()
  await session.tile('Orders', '1')
})
