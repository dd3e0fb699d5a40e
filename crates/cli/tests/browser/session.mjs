// What all walks through the dashboard share: a browser that overlooks nothing, and a shop for it to be in.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const { CHROMIUM, PLAYWRIGHT, PROGRAM, SCREENSHOTS, SHOP, TOKEN } = process.env
const installed = createRequire(`${PLAYWRIGHT}/`)
const { chromium } = installed('playwright-core')
const axe = readFileSync(installed.resolve('axe-core/axe.min.js'), 'utf8')

/** The password of everybody here. */
export const PASSWORD = 'correct horse battery'
/** For how long anything is waited for, in milliseconds. Nothing takes so long but on a machine that has more to do. */
const PATIENCE = 60_000
const NARROW = { width: 360, height: 780 }
const WIDE = { width: 1440, height: 900 }
/** Screenshots end here; the description of the API goes on for long. */
const TALLEST = 6_000
const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** Has `script` walk with a browser of its own, and ends in what went wrong. */
export async function walk(script) {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    // Whatever a browser has to tell its maker is told nobody.
    args: ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
    // Root can have none.
    chromiumSandbox: process.getuid() !== 0,
  })
  try {
    const context = await browser.newContext({ baseURL: SHOP, locale: 'en-GB', timezoneId: 'UTC', viewport: WIDE })
    context.setDefaultTimeout(PATIENCE)
    const session = new Session(await context.newPage())
    await session.watch()
    await script(session).catch((error) => session.failed(error))
    session.tell()
  } finally {
    await browser.close()
  }
}

/** Somebody at a browser. */
class Session {
  /** Streams of events that ended, but for those whose page was left. */
  #endedStreams = 0

  /** `wrong` is what went wrong so far, a sentence each. */
  constructor(page, wrong = []) {
    this.page = page
    this.wrong = wrong
  }

  /** The same person with one more page open. */
  async another() {
    const session = new Session(await this.page.context().newPage(), this.wrong)
    await session.watch()
    return session
  }

  /** Notes whatever a browser has to complain of. */
  async watch() {
    const { page, wrong } = this
    const note = (what) => wrong.push(`${what} (at ${page.url()})`)
    page.on('console', (message) => {
      // So htmx tells that a stream has ended, also where its page was left.
      if (message.text() === '[object Event]') this.#endedStreams += 1
      // And so that the page was left, or asked for something newer, while a part of it was on its way. What failed
      // otherwise it tells besides.
      else if (/^htmx:(afterRequest|sendAbort),/.test(message.text())) return
      else if (['error', 'warning'].includes(message.type())) note(message.text())
    })
    page.on('pageerror', (error) => note(`a script failed: ${error.stack}`))
    page.on('requestfailed', (request) => {
      const why = request.failure().errorText
      // What a page still asked for when it was left.
      if (why !== 'net::ERR_ABORTED') note(`${request.url()} failed: ${why}`)
      else if (request.resourceType() === 'eventsource') this.#endedStreams -= 1
    })
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url())
      if (origin !== SHOP && protocol !== 'data:') note(`${request.url()} is asked of another host`)
    })
    await page.exposeFunction('violation', (what) => note(`the policy forbids ${what}`))
    await page.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => {
        window.violation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)
      })
    })
  }

  /** Ends the process as failed where anything was wrong. */
  tell() {
    if (this.#endedStreams > 0) this.wrong.push(`${this.#endedStreams} streams of events ended on a page that was shown`)
    for (const one of this.wrong) console.error(`- ${one}`)
    if (this.wrong.length > 0) process.exitCode = 1
  }

  /** Keeps what was to be seen when a walk came to no end. */
  async failed(error) {
    const path = `${SCREENSHOTS}/failed-${process.pid}.png`
    mkdirSync(SCREENSHOTS, { recursive: true })
    await this.page.screenshot({ path }).catch(() => {})
    const text = await this.page.locator('body').innerText().catch(String)
    this.wrong.push(error.stack, `seen then at ${this.page.url()}, kept as ${path}: ${text.slice(0, 2_000)}`)
  }

  /** Looks at the page as it stands, narrow and wide, light and dark, and keeps what it looks like. */
  async look(name) {
    await this.#lookAs(name, [NARROW, 'light'], [WIDE, 'light'], [NARROW, 'dark'], [WIDE, 'dark'])
  }

  /** Looks at half of that, for a page that is looked at elsewhere too. */
  async glance(name) {
    await this.#lookAs(name, [NARROW, 'dark'], [WIDE, 'light'])
  }

  async #lookAs(name, ...ways) {
    const { page } = this
    mkdirSync(SCREENSHOTS, { recursive: true })
    for (const [size, colorScheme] of ways) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.setViewportSize(size)
      await this.judge(`${name}-${size.width}-${colorScheme}`)
    }
    await page.emulateMedia({ colorScheme: 'light' })
    await page.setViewportSize(WIDE)
  }

  async judge(name) {
    const { page } = this
    const { width, height, seen } = await page.evaluate(() => {
      const { scrollWidth, scrollHeight } = document.scrollingElement
      return { width: scrollWidth, height: scrollHeight, seen: innerWidth }
    })
    if (width > seen) this.wrong.push(`${name}: the page is ${width} px wide where ${seen} are seen`)
    await page.evaluate(axe)
    const { violations } = await page.evaluate(
      (values) => window.axe.run({ runOnly: { type: 'tag', values }, preload: false }),
      STANDARDS,
    )
    for (const { id, help, nodes } of violations) {
      const where = nodes.slice(0, 3).map(({ html, failureSummary }) => `${html} ${failureSummary}`)
      this.wrong.push(`${name}: ${id}, ${help}, ${nodes.length} times: ${where.join('; ')}`)
    }
    const keep = (as) => page.screenshot({ path: `${SCREENSHOTS}/${as}.png`, animations: 'disabled' })
    await keep(`${name}-top`)
    // As on a screen that is as tall as the page, so that what stands beside it goes all the way down.
    await page.setViewportSize({ width: seen, height: Math.min(Math.max(height, page.viewportSize().height), TALLEST) })
    await keep(name)
  }

  /** Presses Tab until this has the focus; wherever the focus goes on its way, it is to be seen. */
  async tabTo(target) {
    for (let pressed = 0; pressed < 100; pressed++) {
      await this.page.keyboard.press('Tab')
      await this.assertFocusIsSeen()
      if (await target.evaluate((element) => element === document.activeElement)) return
    }
    assert.fail(`Tab does not lead to ${target}`)
  }

  /** Presses Tab from the top of the page to its end, or for long; wherever the focus goes, it is to be seen. */
  async tabThrough() {
    await this.page.evaluate(() => {
      document.activeElement.blur()
      getSelection().removeAllRanges()
    })
    for (let pressed = 0; pressed < 100; pressed++) {
      await this.page.keyboard.press('Tab')
      if (await this.page.evaluate(() => document.activeElement === document.body)) return
      await this.assertFocusIsSeen()
    }
  }

  async assertFocusIsSeen() {
    const { what, isSeen } = await this.page.evaluate(() => {
      const element = document.activeElement
      const { outlineStyle, outlineWidth } = getComputedStyle(element)
      const { left, right, width, height } = element.getBoundingClientRect()
      const isInside = width > 0 && height > 0 && right > 0 && left < innerWidth
      // `auto` is the browser's own, which is wide enough whatever it says.
      // Within a date its parts have the focus by turns, and show it themselves.
      const isOutlined =
        outlineStyle === 'auto' ||
        (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) ||
        element.matches('input[type=date]')
      return { what: element.outerHTML.slice(0, 200), isSeen: isInside && isOutlined }
    })
    assert.ok(isSeen, `it is not to be seen that this has the focus: ${what}`)
  }

  /** Does what the server must refuse with this status, which browsers tell as an error. */
  async refused(status, act) {
    const told = `Failed to load resource: the server responded with a status of ${status}`
    const isTold = (text) => text.startsWith(told)
    await Promise.all([this.page.waitForEvent('console', (message) => isTold(message.text())), act()])
    this.wrong.splice(this.wrong.findIndex(isTold), 1)
  }

  /** Makes a person of this role and signs them in. Answers who it is. */
  async signIn(role) {
    const email = person(role)
    await this.page.goto('/login')
    await this.enter({ 'E-mail': email, Password: PASSWORD }, 'Sign in')
    await this.page.getByRole('navigation', { name: 'Pages' }).waitFor()
    return email
  }

  /** Waits until the tile of this name has this figure. */
  async tile(name, figure) {
    const tile = this.page.locator('.tile').filter({ has: this.page.getByText(name, { exact: true }) })
    await tile.locator('.value').getByText(figure, { exact: true }).waitFor()
  }

  /** Goes to a page of the navigation. */
  async open(name) {
    const pages = this.page.getByRole('navigation', { name: 'Pages' })
    await pages.getByRole('link', { name, exact: true }).click()
    await this.page.waitForLoadState()
  }

  /** Fills the fields that have these labels, and presses a button. */
  async enter(fields, button) {
    for (const [label, value] of Object.entries(fields)) await this.page.getByLabel(label).fill(value)
    await this.page.getByRole('button', { name: button }).click()
  }
}

/** Runs the program on the command line of the shop. Answers what it says. */
export function ordermill(words, input = '') {
  return execFileSync(PROGRAM, words, { input, encoding: 'utf8' })
}

/** Makes a person who may sign in with `PASSWORD`. Answers their e-mail. */
export function person(role) {
  const email = `${role}@example.org`
  ordermill(['user', 'create', '--email', email, '--role', role, '--password-stdin'], PASSWORD)
  return email
}

/** Asks the API as a program does, by an operator's token, with a key where one is needed. Answers what it says. */
export async function ask(method, path, body, key = randomUUID()) {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', 'idempotency-key': key }
  const answer = await fetch(SHOP + path, { method, headers, body: JSON.stringify(body) })
  const text = await answer.text()
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`)
  return JSON.parse(text)
}
