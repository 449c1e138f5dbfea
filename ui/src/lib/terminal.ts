/** xterm.js as roost uses it: a view of a terminal that somebody else keeps. Loaded only when a terminal is shown. */

import { Unicode11Addon } from '@xterm/addon-unicode11'
import { type ITerminalOptions, Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'

export interface Size {
  cols: number
  rows: number
}

export interface TerminalEvents {
  /** Something was typed, pasted or done with the mouse. */
  onInput(bytes: Uint8Array<ArrayBuffer>): void
  /** The size that would fill this window changed. */
  onRoom(size: Size): void
  /** More output is waiting than can be drawn in a while. */
  onFlood(): void
  /** Shift-Escape: the keyboard leaves the terminal. */
  onLeave(): void
}

const FONT_PX = 13
const SMALLEST_FONT_PX = 5
const FLOOD_BYTES = 16 * 1024 * 1024
const FOCUS_REPORTS: readonly string[] = ['\x1b[I', '\x1b[O']

const OPTIONS: ITerminalOptions = {
  fontSize: FONT_PX,
  fontFamily:
    'ui-monospace, "Cascadia Mono", "JetBrains Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace',
  scrollback: 5000,
  cursorBlink: false,
  minimumContrastRatio: 4.5,
  allowProposedApi: true, // for the widths of characters
  theme: {
    background: '#101317',
    foreground: '#d6dbe2',
    cursor: '#d6dbe2',
    cursorAccent: '#101317',
    selectionBackground: '#33507a',
    black: '#1d2229',
    red: '#ef8a80',
    green: '#8fd0a5',
    yellow: '#e2b765',
    blue: '#84b3f5',
    magenta: '#c9a1ee',
    cyan: '#79cbd3',
    white: '#d6dbe2',
    brightBlack: '#6f7a88',
    brightRed: '#ffa79e',
    brightGreen: '#abe5bf',
    brightYellow: '#f5cf86',
    brightBlue: '#a6caff',
    brightMagenta: '#dcbcfb',
    brightCyan: '#9be1e8',
    brightWhite: '#f4f6f9',
  },
}

export class TerminalScreen {
  private readonly terminal = new Terminal(OPTIONS)
  private readonly watcher: ResizeObserver
  private readonly encoder = new TextEncoder()
  /** Size of a cell at the usual font size, in pixels. */
  private readonly cell: { width: number; height: number }
  private unwritten = 0

  constructor(
    private readonly box: HTMLElement,
    private readonly events: TerminalEvents,
  ) {
    refuseToAnswer(this.terminal)
    // By the tables of its core, emoji are narrow; in the agent's terminal and to its program they are wide.
    this.terminal.loadAddon(new Unicode11Addon())
    this.terminal.unicode.activeVersion = '11'
    this.terminal.open(box)
    this.cell = this.measuredCell()
    this.terminal.onData((text) => {
      if (!FOCUS_REPORTS.includes(text)) events.onInput(this.encoder.encode(text))
    })
    this.terminal.onBinary((text) => events.onInput(Uint8Array.from(text, (sign) => sign.charCodeAt(0))))
    this.terminal.attachCustomKeyEventHandler((event) => this.onKey(event))
    this.watcher = new ResizeObserver(() => this.onBoxResized())
    this.watcher.observe(box)
  }

  write(bytes: Uint8Array): void {
    this.unwritten += bytes.length
    this.terminal.write(bytes, () => {
      this.unwritten -= bytes.length
    })
    if (this.unwritten > FLOOD_BYTES) this.events.onFlood()
  }

  /** Take the size that the agent's terminal has; the font shrinks where that is more than fits. */
  resize({ cols, rows }: Size): void {
    if (cols !== this.terminal.cols || rows !== this.terminal.rows) this.terminal.resize(cols, rows)
    this.fitFont()
  }

  focus(): void {
    this.terminal.focus()
  }

  /** As if the key that sends `text` had been pressed. */
  type(text: string): void {
    const asApplication = this.terminal.modes.applicationCursorKeysMode && text.startsWith('\x1b[')
    this.terminal.input(asApplication ? `\x1bO${text.slice(2)}` : text)
  }

  /** Show output but take no input. */
  freeze(frozen: boolean): void {
    this.terminal.options.disableStdin = frozen
    this.terminal.options.cursorInactiveStyle = frozen ? 'none' : 'outline'
  }

  /** The size that would fill this window. */
  room(): Size {
    const { width, height } = this.boxSize()
    return {
      cols: Math.max(20, Math.min(500, Math.floor(width / this.cell.width))),
      rows: Math.max(5, Math.min(300, Math.floor(height / this.cell.height))),
    }
  }

  dispose(): void {
    this.watcher.disconnect()
    this.terminal.dispose()
  }

  private onKey(event: KeyboardEvent): boolean {
    if (event.key !== 'Escape' || !event.shiftKey) return true
    event.preventDefault()
    if (event.type === 'keydown') this.events.onLeave()
    return false
  }

  private onBoxResized(): void {
    const { width, height } = this.boxSize()
    if (width < 1 || height < 1) return
    this.fitFont()
    this.events.onRoom(this.room())
  }

  private fitFont(): void {
    const { width, height } = this.boxSize()
    const { cols, rows } = this.terminal
    const share = Math.min(1, width / (cols * this.cell.width), height / (rows * this.cell.height))
    const fontSize = Math.max(SMALLEST_FONT_PX, share === 1 ? FONT_PX : Math.floor(FONT_PX * share * 4) / 4)
    if (fontSize !== this.terminal.options.fontSize) this.terminal.options.fontSize = fontSize
  }

  private boxSize(): { width: number; height: number } {
    const style = getComputedStyle(this.box)
    return {
      width:
        this.box.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight),
      height:
        this.box.clientHeight - Number.parseFloat(style.paddingTop) - Number.parseFloat(style.paddingBottom),
    }
  }

  private measuredCell(): { width: number; height: number } {
    const screen = this.box.querySelector('.xterm-screen')?.getBoundingClientRect()
    const width = (screen?.width ?? 0) / this.terminal.cols
    const height = (screen?.height ?? 0) / this.terminal.rows
    return { width: width || FONT_PX * 0.6, height: height || FONT_PX * 1.2 }
  }
}

/**
 * Swallow every query that xterm.js would answer by itself. Several people may look at one terminal; only the
 * server's emulator answers its program, or the program would hear several answers to each question.
 */
function refuseToAnswer({ parser }: Terminal): void {
  const swallow = () => true
  for (const prefix of [{}, { prefix: '>' }, { prefix: '=' }])
    parser.registerCsiHandler({ ...prefix, final: 'c' }, swallow)
  for (const prefix of [{}, { prefix: '?' }]) {
    parser.registerCsiHandler({ ...prefix, final: 'n' }, swallow)
    parser.registerCsiHandler({ ...prefix, intermediates: '$', final: 'p' }, swallow)
  }
  parser.registerCsiHandler({ prefix: '>', final: 'q' }, swallow)
  parser.registerCsiHandler({ final: 't' }, swallow)
  parser.registerDcsHandler({ intermediates: '$', final: 'q' }, swallow)
  parser.registerDcsHandler({ intermediates: '+', final: 'q' }, swallow)
  for (const colour of [4, 10, 11, 12]) parser.registerOscHandler(colour, (data) => data.includes('?'))
}
