import { MOD } from './commands'

/** Every key of the window, for the list of them. */
export const SHORTCUTS: readonly { name: string; keys: readonly (readonly [string, string])[] }[] = [
  {
    name: 'Anywhere',
    keys: [
      [`${MOD}Shift+P`, 'Every command, and search'],
      [`${MOD}P`, 'Go to an entry'],
      [`${MOD}Shift+C`, 'Capture the latest trace'],
      [`${MOD}S`, 'Save now'],
      [`${MOD},`, 'Settings of the text'],
      [`${MOD}+ ${MOD}− ${MOD}0`, 'Zoom in, out, back'],
      ['F6', 'Next pane'],
      ['Shift+F6', 'Previous pane'],
      ['?', 'This list, outside of the text'],
    ],
  },
  {
    name: 'In lists of telemetry',
    keys: [
      ['↑ ↓', 'Move'],
      ['Home End', 'First, last'],
      ['Enter', 'Capture'],
      ['Space', 'Show the data'],
    ],
  },
  {
    name: 'In the text',
    keys: [
      [`${MOD}B`, 'Bold'],
      [`${MOD}I`, 'Italic'],
      [`${MOD}E`, 'Code'],
      [`${MOD}Shift+X`, 'Strikethrough'],
      [`${MOD}K`, 'Link'],
      ['Tab', 'Nest a list item'],
      [`${MOD}Enter`, 'Tick a task, follow a link'],
      [`${MOD}D`, 'Next occurrence'],
      [`${MOD}F`, 'Find and replace'],
      [`${MOD}/`, 'Source'],
      [`${MOD}Shift+E`, 'Read'],
      [`${MOD}Shift+O`, 'Headings'],
      [`${MOD}Shift+[`, 'Fold'],
      [`${MOD}Z`, 'Undo'],
    ],
  },
  {
    name: 'On a card',
    keys: [
      ['Enter', 'Open'],
      ['F2', 'Edit its text'],
      ['Alt+↑ Alt+↓', 'Move'],
      ['Delete', 'Take it out of the text'],
    ],
  },
]
