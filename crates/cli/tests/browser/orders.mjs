// Finding orders.

import assert from 'node:assert/strict'
import { aMonthOfBusiness } from './business.mjs'
import { ask, walk } from './session.mjs'

await walk(async (session) => {
  const { page } = session
  aMonthOfBusiness()
  for (const quantity of [1, 2, 3]) {
    const [customer, lines] = [{ email: 'jane@example.com' }, [{ sku: 'TEA-1', quantity }]]
    await ask('POST', '/api/orders', { source: 'shop', external_id: `A-${quantity}`, customer, lines })
  }
  await session.signIn('operator')
  await page.getByRole('link', { name: 'Orders', exact: true }).click()
  const rows = page.getByRole('region', { name: 'Orders as a table' }).getByRole('row')
  await rows.filter({ hasText: 'shop/A-3' }).waitFor()
  await session.look('orders')

  const first = await rows.nth(1).innerText()
  await page.getByRole('link', { name: 'More' }).click()
  await rows.filter({ hasText: 'shop/A-3' }).waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'To the beginning' }).click()
  await rows.filter({ hasText: 'shop/A-3' }).waitFor()
  assert.equal(await rows.nth(1).innerText(), first, 'the list begins as before')

  await session.enter({ 'Order or customer': 'jane@example.com' }, 'Find')
  await rows.nth(4).waitFor({ state: 'detached' })
  assert.deepEqual(await rows.locator('td:nth-child(2)').allInnerTexts(), ['shop/A-3', 'shop/A-2', 'shop/A-1'])
  await page.getByText('More to find them by').click()
  await page.getByLabel('In the order of').selectOption('total_lowest')
  await page.getByRole('button', { name: 'Find' }).click()
  await page.waitForURL(/sort=total_lowest/)
  assert.deepEqual(await rows.locator('td:last-child').allInnerTexts(), ['34.90 EUR', '69.80 EUR', '104.70 EUR'])

  await page.getByLabel('SKU').fill('NOTHING')
  await page.getByRole('button', { name: 'Find' }).click()
  await page.getByText('No order here fits.').waitFor()
  await session.look('orders-none-fits')
  await page.getByRole('link', { name: 'All orders' }).click()
  await rows.filter({ hasText: 'shop/A-3' }).waitFor()
})
