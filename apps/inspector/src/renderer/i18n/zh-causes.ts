// Simplified Chinese of what was done without anybody saying why.
import type { enCauses } from './en-causes.ts';

export const zhCauses: Readonly<Record<keyof typeof enCauses, string>> = {
  'cause.never-proved': '它启动了 {starts} 次，始终没有通过试运行。',
  'cause.golden-differs':
    '标准样本 {sample} 在 {backend} 上的答案与发布处（{madeBy}）不同：{output} 的差异是允许值的 {times} 倍。',
  'cause.golden-incomparable':
    '标准样本 {sample} 在 {backend} 上的答案无法与发布处（{madeBy}）比较：{output} 的形状不同，或不是数值。',
  'cause.golden-crashed': '它的标准样本在本设备上没能运行完。',
  'cause.golden-no-runtime': '本设备没有可以运行标准样本的运行时。',
  'cause.cannot-run': '工位无法加载它。{code}',
  'cause.trial-load-crashed': '用已知工件试用时，它的模型无法加载。',
  'cause.trial-part-crashed': '用已知工件试用时，它没能处理完 {part}。',
  'cause.window-opened': '维护时段已开始。',
  'cause.by-hand': '人工退回。',
  'cause.gate-answers': '健康检查：{frames} 个工件中有 {missing} 个没有答案，之前的版本为 {missingBefore} 个。',
  'cause.gate-moved': '健康检查：{verdict}的比例变化了 {share}，允许 {allowedShare}。',
  'cause.gate-escaped': '健康检查：{ng} 个原为不合格的工件中，有 {escaped} 个现在会判为合格。',
  'cause.gate-slower': '健康检查：95% 的工件用时不超过 {p95Ms}，之前的版本为 {beforeMs}。',
  'cause.gate-unclear': '健康检查：{frames} 个工件之后，{verdict}的比例仍偏差 {share}。',
  'cause.gate-healthy': '健康检查：{frames} 个工件均正常。',
  'cause.after-stage': '第 {stage} 阶段已完成，下一阶段要有人来放行。',
  'cause.failed-count': '{failed} 台设备失败，最多允许 {allowed} 台。',
  'cause.failed-share': '第 {stage} 阶段的 {ended} 台设备中有 {failed} 台失败，最多允许 {allowedShare}。',
};
