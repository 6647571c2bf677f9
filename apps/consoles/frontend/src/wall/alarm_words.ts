/** What is wrong on the floor, in words. */

import { dictionary } from "$lib/i18n";

/** What is wrong, and what to do about it: the owner reads the second half. */
export const alarmWords = dictionary(
  {
    longest_wait: "{name}: a caller waits {value} s. Ask agents on pause back, or move agents here.",
    sl30: "{name}: service level of the last 30 minutes is {percent}. Add agents to this queue.",
    queue_unserved: "{name}: {value} waiting and nobody signed in. Staff this queue.",
    missed: "{name} missed {value} calls in 10 minutes. Talk to this agent.",
    trunk_down: "Trunk {name} is down. Call the carrier. {detail}",
    trunk_use: "Trunk {name} is {percent} in use. Expect busy signals; free lines.",
    engine: "The engine is out of reach. Calls go on; call the administrator.",
    recording_failed: "A recording failed: check the switch's disk. {detail}",
    unknown_did: "Calls to a number that leads nowhere: give it a flow. {detail}",
    agent_help: "{detail} asks for help",
    pause_over: "{detail} is on pause for longer than allowed. Ask them back.",
    device_invalid: "An agent's phone cannot be rung: check its account. {detail}",
    offers_refused: "A switch does not ring agents' phones: check its load and its trunks. {detail}",
    disk_full: "The engine's disk is full: free space now. {detail}",
    journal_failed: "The engine cannot write its journal: check its disk now. {detail}",
    flow_missing: "A number leads to a menu that does not exist: choose another. {detail}",
    overflow_circle: "Callers were sent in a circle from one queue to the next and took the fallback: change where it overflows to. {detail}",
    queue_missing: "A menu leads to a queue that does not exist: correct the menu. {detail}",
    cannot_match: "Callers are sent on because nobody could ever serve them: give agents the skill, or ask for less. {detail}",
    prompt_failed: "A prompt could not be played: render and place it again. {detail}",
    number_barred: "A call was to go to a number that may not be dialled: correct the overflow or the rules. {detail}",
    switch_down: "A switch is out of reach: new calls take the fallback. {detail}",
    webhook_failing: "Nothing reaches the program {name}: {value} failures in a row. Tell whoever looks after it.",
    webhook_off: "The program {name} is told nothing any more: its webhook switched itself off. Mend it, then switch it on.",
    other: "{kind}: {detail}",
  },
  {
    longest_wait: "{name}:有来电已等待 {value} 秒。请示忙坐席返岗,或调入坐席。",
    sl30: "{name}:近30分钟服务水平 {percent}。请增加坐席。",
    queue_unserved: "{name}:{value} 个来电排队但无人签入。请安排坐席。",
    missed: "{name} 10分钟内漏接 {value} 次。请与该坐席沟通。",
    trunk_down: "中继 {name} 中断。请联系运营商。{detail}",
    trunk_use: "中继 {name} 占用 {percent},可能出现忙音。请释放线路。",
    engine: "引擎不可达,通话不受影响。请联系管理员。",
    recording_failed: "录音失败:请检查交换机磁盘。{detail}",
    unknown_did: "来电号码未配置去向:请为其设置流程。{detail}",
    agent_help: "{detail}请求协助",
    pause_over: "{detail} 示忙超过允许时间。请联系其返岗。",
    device_invalid: "坐席话机无法振铃:请检查其账号。{detail}",
    offers_refused: "交换机未能振铃坐席话机:请检查其负载与中继。{detail}",
    disk_full: "引擎磁盘已满:请立即清理。{detail}",
    journal_failed: "引擎无法写入日志:请立即检查磁盘。{detail}",
    flow_missing: "号码指向不存在的流程:请重新选择。{detail}",
    overflow_circle: "来电在队列之间循环溢出,已转入兜底:请修改溢出目标。{detail}",
    queue_missing: "流程指向不存在的队列:请修改流程。{detail}",
    cannot_match: "没有任何坐席能接待的来电已被转走:请为坐席添加技能,或降低要求。{detail}",
    prompt_failed: "提示音无法播放:请重新生成并部署。{detail}",
    number_barred: "有来电要转往禁止拨打的号码:请修改溢出设置或外呼规则。{detail}",
    switch_down: "交换机不可达:新来电走应急路由。{detail}",
    webhook_failing: "程序 {name} 收不到消息:已连续失败 {value} 次。请通知其负责人。",
    webhook_off: "程序 {name} 的 Webhook 已自动停用,不再收到消息。请排除故障后重新启用。",
    other: "{kind}:{detail}",
  },
);

/** A kind by itself, where many of it stand together. */
const alarmKinds = dictionary(
  {
    longest_wait: "Long waits", sl30: "Low service levels", queue_unserved: "Queues that nobody serves", missed: "Agents who missed calls", trunk_down: "Trunks that are down",
    trunk_use: "Trunks nearly full", recording_failed: "Failed recordings", unknown_did: "Numbers that lead nowhere", device_invalid: "Agents' phones that cannot be rung",
    number_barred: "Numbers that may not be dialled", switch_down: "Switches out of reach", webhook_failing: "Programs that nothing reaches", webhook_off: "Webhooks switched off",
    flow_missing: "Menus that do not exist", queue_missing: "Queues that do not exist", overflow_circle: "Overflows in a circle", cannot_match: "Calls nobody could serve", prompt_failed: "Prompts that failed", offers_refused: "Switches that ring no phones",
  },
  {
    longest_wait: "等待过长", sl30: "服务水平偏低", queue_unserved: "无人值守的队列", missed: "漏接来电的坐席", trunk_down: "中断的中继",
    trunk_use: "接近占满的中继", recording_failed: "录音失败", unknown_did: "未配置去向的号码", device_invalid: "无法振铃的坐席话机",
    number_barred: "禁止拨打的号码", switch_down: "不可达的交换机", webhook_failing: "收不到消息的程序", webhook_off: "已停用的 Webhook",
    flow_missing: "不存在的流程", queue_missing: "不存在的队列", overflow_circle: "循环溢出", cannot_match: "无人可接的来电", prompt_failed: "播放失败的提示音", offers_refused: "未能振铃话机的交换机",
  },
);

export const alarmKindWord = (kind: string) => (alarmKinds.has(kind) ? alarmKinds(kind) : kind);
