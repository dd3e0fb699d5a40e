// Every page of the navigation, as a shop shows it on its first day, by the keyboard alone.

import assert from 'node:assert/strict'
import { walk } from './session.mjs'

await walk(async (session) => {
  const { page } = session
  await session.signIn('admin')
  const links = page.getByRole('navigation', { name: 'Pages' }).getByRole('link')
  const pages = await links.evaluateAll((found) => found.map((link) => [link.innerText, link.pathname]))
  assert.ok(pages.length > 2, 'there are pages')
  for (const [name, path] of pages) {
    await page.goto('/account')
    await session.tabTo(links.filter({ hasText: name }).first())
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.pathname === path)
    // The API's description is long, the same on every day, and looked at by a walk of its own.
    if (path !== '/docs') await session.glance(`first-day-${name.toLowerCase().replaceAll(' ', '-')}`)
    await session.tabThrough()
  }

  await page.setViewportSize({ width: 360, height: 780 })
  await page.goto('/orders')
  await session.tabTo(page.getByRole('button', { name: 'Pages, here Orders' }))
  await page.keyboard.press('Enter')
  await session.tabTo(links.filter({ hasText: 'Products' }))
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Products' }).waitFor()
  assert.equal(await links.first().isVisible(), false, 'it is folded again')

  await page.goto('/')
  await page.keyboard.press('Tab')
  await session.assertFocusIsSeen()
  await page.keyboard.press('Enter')
  await page.locator('#content:focus').waitFor()
  assert.equal(new URL(page.url()).hash, '#content')
})
