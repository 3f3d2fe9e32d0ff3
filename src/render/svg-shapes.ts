import type { Rgb } from './heatmap-scale.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for XML content and attributes. What XML 1.0 forbids (control characters, U+FFFE) escape.ts has already written out. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

/** A coordinate with at most two decimals: the same bytes on every machine. */
export const coordinate = (value: number): string => String(Math.round(value * 100) / 100);

export const hex = (color: Rgb): string =>
  `#${color.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;

type Attributes = Readonly<Record<string, string | number>>;

function tag(name: string, attributes: Attributes): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? coordinate(value) : escapeXml(value)}"`,
  );
  return `<${name}${written.join('')}`;
}

export const rect = (attributes: Attributes): string => `${tag('rect', attributes)}/>\n`;

export const text = (attributes: Attributes, content: string): string =>
  `${tag('text', attributes)}>${escapeXml(content)}</text>\n`;
