// The first person, who comes by the link that the server printed.

import assert from 'node:assert/strict'
import { PASSWORD, walk } from './session.mjs'

await walk(async (session) => {
  const { page } = session
  const { LINK } = process.env
  await page.goto(LINK)
  await session.look('setup')

  await session.enter({ 'E-mail': 'ann@example.org', Password: 'short' }, 'Make the admin')
  await page.locator('#password:invalid').waitFor()
  assert.equal(new URL(page.url()).pathname, LINK, 'the browser does not send what is too short')

  await session.enter({ Password: PASSWORD }, 'Make the admin')
  await page.getByRole('heading', { name: 'No order has come yet' }).waitFor()
  await page.getByRole('banner').getByText('ann@example.org').waitFor()
  await session.look('overview-empty')

  await session.refused(404, () => page.goto(LINK))
  await page.getByRole('heading', { name: 'not good any more' }).waitFor()
  await session.look('setup-over')
})
