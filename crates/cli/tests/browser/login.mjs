// Signing in and out.

import assert from 'node:assert/strict'
import { PASSWORD, person, walk } from './session.mjs'

await walk(async (session) => {
  const { page } = session
  const email = person('viewer')
  await page.goto('/account')
  assert.equal(new URL(page.url()).pathname, '/login', 'strangers are sent to where they sign in')
  await session.look('login')

  await session.refused(401, () => session.enter({ 'E-mail': email, Password: 'wrong' }, 'Sign in'))
  await page.getByRole('alert').getByText('not known together').waitFor()
  assert.equal(await page.getByLabel('E-mail').inputValue(), email, 'nobody types it again')
  await session.look('login-refused')

  await session.enter({ Password: PASSWORD }, 'Sign in')
  await page.getByRole('heading', { name: 'Today' }).waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await page.goto('/')
  assert.equal(new URL(page.url()).pathname, '/login', 'whoever has signed out is a stranger')
})
