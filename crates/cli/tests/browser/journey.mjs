// From an empty shop to an evening on which everything was put right, by whoever opened the one-time link: what a shop
// does on its first day, all of it in the browser.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Door } from './door.mjs'
import { PASSWORD, walk } from './session.mjs'

const { LINK, MAILS_COME_TO, MAILS_GO_TO } = process.env
const TODAY = new Date().toISOString().slice(0, 10)
const ORDERS = `external_order_id,order_placed_at,currency,product_sku,product_name,how many,unit_price,customer_email
F-1,${TODAY},EUR,TEA-1,Teapot,2,34.90,ann@example.com
F-2,${TODAY},EUR,CUP-4,Cups,1,28.00,bob@example.com
F-3,${TODAY},EUR,CUP-4,Cups,many,28.00,cleo@example.com
F-4,${TODAY},EUR,TEA-1,Teapot,1,34.90,dan@example.com
`

await walk(async (session) => {
  const mails = new Door(MAILS_COME_TO, MAILS_GO_TO)
  await mails.open()
  const { page } = session
  await page.goto(LINK)
  await session.enter({ 'E-mail': 'owner@example.org', Password: PASSWORD }, 'Make the admin')
  await page.getByRole('heading', { name: 'No order has come yet' }).waitFor()

  // It stays open all day, and is never loaded again.
  const overview = await session.another()
  await overview.page.goto('/')
  await overview.page.evaluate(() => (window.isStillHere = true))
  await bringIn(session)
  await overview.tile('Orders', '3')
  await overview.tile('Net revenue', '132.70')
  await correct(session)
  await overview.tile('Orders', '4')
  await overview.tile('Net revenue', '188.70')
  await sold(overview, 'Teapot', '3', '104.70')
  await sold(overview, 'Cups', '3', '84.00')

  await find(session, 'ann@example.com', 'native/F-1')
  await ship(session, 'RR1')
  await refundOneUnit(session)
  await overview.tile('Net revenue', '153.80')
  await overview.tile('Refund rate', '18.5 %')
  await sold(overview, 'Teapot', '2', '69.80')
  assert.ok(await overview.page.evaluate(() => window.isStillHere), 'it changed by itself')
  await overview.look('journey-overview')

  await mails.close()
  await find(session, 'bob@example.com', 'native/F-2')
  await ship(session, 'RR2')
  await retryWhatFailed(session, mails)
  await assertAllIsLogged(session)
  await overview.page.close()
  await page.goto('/account')
  await mails.close()
})

/** Drops a file, says what its columns are, tries it, and imports it. */
async function bringIn(session) {
  const { page } = session
  await session.open('Imports')
  await drop(page, 'first.csv', ORDERS)
  await page.getByRole('heading', { name: 'first.csv' }).waitFor()
  const quantity = page.getByLabel(/^qty/)
  await page.getByRole('row', { name: /^qty missing/ }).waitFor()
  await quantity.selectOption('how many')
  await page.getByRole('row', { name: /^qty needed/ }).getByText('many', { exact: true }).waitFor()
  await page.getByLabel('Units that products are made with').fill('10')
  await page.getByRole('button', { name: 'Try' }).click()
  await page.getByRole('heading', { name: 'Tried with 4 rows: nothing was imported' }).waitFor()
  await session.tile('Orders to be imported', '3')
  await page.getByRole('row', { name: /invalid.quantity/ }).waitFor()
  await session.look('import-tried')

  await page.getByRole('button', { name: 'Import', exact: true }).click()
  await page.getByRole('heading', { name: /^Import 1: first.csv completed/ }).waitFor()
  await session.tile('Orders imported', '3')
  await page.getByRole('cell', { name: /F-3.*many/ }).waitFor()
  await session.look('import')
}

/** Downloads the rejected rows of the import that is shown, and sends them once more without what was wrong. */
async function correct(session) {
  const { page } = session
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download all as CSV' }).click()
  const rejects = readFileSync(await (await download).path(), 'utf8')
  assert.equal(rejects.trim().split('\n').length, 2, rejects)
  await drop(page, 'corrected.csv', rejects.replace(',many,', ',2,'))
  await page.getByRole('heading', { name: 'corrected.csv' }).waitFor()
  await page.getByRole('button', { name: 'Import', exact: true }).click()
  await page.getByRole('heading', { name: /^Import 2: corrected.csv completed/ }).waitFor()
  await page.getByText('It corrects rows that import 1 had rejected.').waitFor()
}

/** Drops a file where files are dropped. */
async function drop(page, name, text) {
  const files = await page.evaluateHandle(
    ([name, text]) => {
      const files = new DataTransfer()
      files.items.add(new File([text], name, { type: 'text/csv' }))
      return files
    },
    [name, text],
  )
  await page.locator('.drop').dispatchEvent('drop', { dataTransfer: files })
}

/** Waits until the best sellers have this product, with its units and what they brought in. */
async function sold({ page }, name, units, net) {
  await page.getByRole('row', { name: `${name} ${units} ${net}` }).waitFor()
}

async function find(session, customer, order) {
  const { page } = session
  await session.open('Orders')
  await session.enter({ 'Order or customer': customer }, 'Find')
  await page.getByRole('link', { name: order, exact: true }).click()
  await page.getByRole('heading', { name: order }).waitFor()
}

/** Ships all of the order that is shown. */
async function ship(session, tracking) {
  const { page } = session
  await page.getByRole('link', { name: 'Ship' }).click()
  await page.getByText('is told: shipped').waitFor()
  await session.enter({ Carrier: 'Post', 'Tracking number': tracking }, 'Ship')
  await page.getByRole('region', { name: 'Shipments' }).getByText(tracking).waitFor()
}

async function refundOneUnit(session) {
  const { page } = session
  await page.getByRole('link', { name: 'Refund …' }).click()
  await session.enter({ 'Units of TEA-1': '1', 'Why, for the timeline': 'a crack' }, 'Look what would go back')
  await page.getByRole('button', { name: 'Refund 34.90 EUR' }).click()
  await page.getByRole('heading', { name: 'Refund 1 succeeded' }).waitFor()
  await page.getByRole('link', { name: 'native/F-1' }).click()
  await page.getByRole('region', { name: 'Refunds' }).getByText('succeeded').waitFor()
  await page.getByRole('region', { name: 'Timeline' }).getByText('user:owner@example.org').first().waitFor()
  await session.look('order')
}

/** Finds the mail that nobody could take together with its like, and has it sent once somebody can. */
async function retryWhatFailed(session, mails) {
  const { page } = session
  const failed = page.getByRole('region', { name: 'What fails as a table' })
  const group = failed.getByRole('row', { name: 'send_notification' })
  const isGrouped = () => group.first().isVisible()
  await session.open('Queues')
  while (!(await isGrouped())) await page.reload()
  await session.look('queues-failing')
  await group.getByRole('link', { name: 'Retry…' }).click()
  await page.getByRole('heading', { name: /^Retry/ }).waitFor()
  await mails.open()
  await page.getByRole('button', { name: /^Retry/ }).click()
  await page.waitForURL(/done=retry/)

  const told = page.getByRole('row', { name: /shipped.*bob@example.com|bob@example.com.*shipped/ })
  const isSent = () => told.getByText('sent', { exact: true }).isVisible()
  await session.open('Notifications')
  while (!(await isSent())) await page.reload()
  await session.open('Queues')
  await page.getByText('Nothing has failed of what the queues still hold.').waitFor()
}

/** Each of today's deeds is in the operators' log, newest first. */
async function assertAllIsLogged(session) {
  const { page } = session
  await session.open("Operators' log")
  const rows = page.getByRole('region', { name: "Operators' log as a table" }).locator('tbody tr')
  await rows.first().waitFor()
  const log = await rows.evaluateAll((rows) => rows.map((row) => [2, 3, 4].map((n) => row.cells[n - 1].innerText).join(' ')))
  const owner = (deed) => `user:owner@example.org ${deed}`
  assert.deepEqual(log.slice(0, 6), [
    owner('retry jobs jobs'),
    owner('order shipped order 2'),
    owner('refund requested order 1'),
    owner('order shipped order 1'),
    owner('import started import 2'),
    owner('import started import 1'),
  ])
  await session.look('audit')
}
