import type { Preset, PresetConfig } from '../../command.ts';

/** One line of a family's table: what the members of the family do not share. */
export type Row = Partial<PresetConfig> &
  Pick<PresetConfig, 'vocab' | 'dim' | 'layers'> & {
    name: string;
    title: string;
    /** Repository on the hub whose config.json has the numbers. */
    hub?: string;
    aliases?: readonly string[];
    encoding?: string;
  };

/** What the members of a family share. */
export type Family = Partial<PresetConfig> &
  Pick<PresetConfig, 'norm' | 'layerNorms' | 'head'> & {
    counted: string;
    paper: string;
    encoding?: string;
  };

/** The presets of a family: each row over what all share. */
export function family(shared: Family, rows: readonly Row[]): Preset[] {
  const { counted, paper, encoding: sharedEncoding, ...sharedConfig } = shared;
  return rows.map((row) => {
    const { name, title, hub, aliases = [], encoding = sharedEncoding, ...config } = row;
    return {
      name,
      title,
      counted,
      source: hub ? `${paper}; config.json of ${hub}` : paper,
      aliases: hub ? [hub, ...aliases] : aliases,
      ...(encoding ? { encoding } : {}),
      config: { architecture: 'transformer', ...sharedConfig, ...config },
    };
  });
}
