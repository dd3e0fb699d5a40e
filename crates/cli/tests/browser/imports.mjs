// Somebody drops a file with some bad rows, says which column is what, tries it, imports it, and sends the bad rows once more.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { ordermill, walk } from './session.mjs'

const HEADER = 'order_id,order_date,customer_email,sku,how many,unit_price,currency'
/** Every tenth order says in a word how many it wants. */
const ROWS = Array.from({ length: 2_000 }, (_, number) => {
  const quantity = number % 10 === 3 ? 'three' : '3'
  return `D-${number},2025-10-18,ann@example.com,TEA-${number % 7},${quantity},12.50,EUR`
})

await walk(async (session) => {
  const { page } = session
  const pages = page.getByRole('navigation', { name: 'Pages' })
  await session.signIn('operator')
  await pages.getByRole('link', { name: 'Imports' }).click()
  await page.getByText('Nothing was imported yet.').waitFor()
  await session.look('imports-empty')

  await drop(page, ['a.csv', 'b.csv'], 'x')
  await page.getByText('One file at a time, please.').waitFor()
  await session.refused(422, () => drop(page, ['page.html'], '<!doctype html><title>Sign in</title>'))
  await page.getByRole('alert').getByText('an HTML page').waitFor()
  await session.look('imports-refused')

  await drop(page, ['orders <b>.csv'], [HEADER, ...ROWS].join('\n'))
  await page.getByRole('heading', { name: 'orders <b>.csv' }).waitFor()
  await page.getByRole('alert').getByText('no column for qty').waitFor()
  await session.look('imports-draft')
  const quantity = page.getByLabel('qty missing')
  await quantity.focus()
  await quantity.selectOption('how many')
  await page.getByRole('row', { name: 'qty needed' }).getByText('3', { exact: true }).first().waitFor()
  assert.equal(await page.getByRole('alert').count(), 0, 'the column is what was missing')
  assert.equal(await focused(page), 'column.qty', 'whoever chooses by the keyboard goes on from there')

  const options = { Source: 'till', 'Units that products are made with': '5000' }
  await session.enter(options, 'Try: nothing is imported')
  await session.tile('Orders to be imported', '1,800')
  await session.tile('Orders rejected', '200')
  await page.getByRole('row', { name: 'invalid quantity 200' }).waitFor()
  await session.look('imports-tried')

  await page.getByRole('button', { name: 'Import', exact: true }).click()
  await page.getByRole('heading', { name: 'orders <b>.csv completed' }).waitFor()
  await session.tile('Orders imported', '1,800')
  await page.getByRole('row', { name: 'D-3,' }).waitFor()
  await session.look('imports-done')
  const downloading = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download all as CSV' }).click()
  const rejects = readFileSync(await (await downloading).path(), 'utf8')
  assert.equal(rejects.split('\n').filter(Boolean).length, 201)

  await drop(page, ['corrected.csv'], rejects.replaceAll(',three,', ',3,'))
  await page.getByRole('heading', { name: 'corrected.csv' }).waitFor()
  assert.equal(await page.getByLabel('Source').inputValue(), 'till', 'it is read like the file whose rejects it has')
  await page.getByRole('button', { name: 'Import', exact: true }).click()
  await page.getByRole('heading', { name: 'corrected.csv completed' }).waitFor()
  await session.tile('Orders imported', '200')
  await page.getByText('It corrects rows that').getByRole('link').click()
  await page.getByRole('heading', { name: 'orders <b>.csv completed' }).waitFor()

  // One that runs for a while, seen from its beginning, and ended from its page.
  ordermill(['queue', 'pause', 'imports'])
  await pages.getByRole('link', { name: 'Imports' }).click()
  await drop(page, ['more.csv'], [HEADER.replace('how many', 'qty'), ...ROWS].join('\n').replaceAll('D-', 'E-'))
  await page.getByRole('button', { name: 'Import', exact: true }).click()
  await page.getByRole('heading', { name: 'more.csv planning' }).waitFor()
  await session.look('imports-planning')
  await page.getByRole('link', { name: 'Cancel…' }).click()
  await page.getByText('What was imported stays: 0 orders').waitFor()
  await session.look('imports-cancel')
  await page.getByRole('button', { name: 'Cancel the import' }).click()
  await page.getByRole('heading', { name: 'more.csv cancelled' }).waitFor()
  ordermill(['queue', 'continue', 'imports'])
  await pages.getByRole('link', { name: 'Imports' }).click()
  await page.getByRole('row', { name: 'more.csv native cancelled' }).waitFor()
  await session.look('imports')
})

/** Lets files of these names and this text fall where files are dropped. */
async function drop(page, names, text) {
  const dataTransfer = await page.evaluateHandle(
    ({ names, text }) => {
      const transfer = new DataTransfer()
      for (const name of names) transfer.items.add(new File([text], name))
      return transfer
    },
    { names, text },
  )
  const place = page.locator('.drop')
  for (const event of ['dragover', 'drop']) await place.dispatchEvent(event, { dataTransfer })
}

function focused(page) {
  return page.evaluate(() => document.activeElement.id)
}
