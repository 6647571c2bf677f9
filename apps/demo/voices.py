"""The lines of the demo's callers and agents, for whoever listens to a call or its recording.

For maintainers: ``python manage.py voices`` speaks them anew into ``fixtures/sounds/callers`` with espeak-ng.
"""

from __future__ import annotations

import io
import json
import wave
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

from apps.telephony.prompts.speech import RATES, synthesize

FOLDER = Path(settings.BASE_DIR) / "fixtures" / "sounds" / "callers"
AGENT_VOICE = {"zh": "cmn-latn-pinyin+f3", "en": "en-us+f3"}


class Language(NamedTuple):
    key: str  # what its speakers press in the first menu
    scripts: tuple[tuple[tuple[str, str], ...], ...]  # (who, text)


LANGUAGES = {
    "zh": Language(
        "1",
        (
            (
                ("caller", "你好,我家的宽带从昨天晚上开始就上不了网了。"),
                ("agent", "您好,很抱歉给您带来不便,请问光猫上的红灯亮了吗?"),
                ("caller", "亮了,我已经重启过两次,还是不行。"),
                ("agent", "好的,我马上为您登记报修,师傅今天下午上门。"),
                ("caller", "好,那就麻烦你们快一点,谢谢。"),
            ),
            (
                ("caller", "你好,我想问一下这个月的话费为什么多了三十块钱。"),
                ("agent", "您好,我帮您查一下,请稍等。"),
                ("caller", "好的,我记得我没有开通别的业务。"),
                ("agent", "查到了,是上个月的流量包,下个月不会再收取。"),
                ("caller", "明白了,请帮我取消这个流量包。"),
            ),
        ),
    ),
    "en": Language(
        "2",
        (
            (
                ("caller", "Hello, my internet connection has been down since yesterday evening."),
                ("agent", "I am sorry to hear that. Is there a red light on the modem?"),
                ("caller", "Yes, there is. I have restarted it twice already."),
                ("agent", "Thank you. A technician will come this afternoon."),
                ("caller", "That would be great. Thank you very much."),
            ),
            (
                ("caller", "Hi, I have a question about my last invoice. It is higher than usual."),
                ("agent", "Let me look that up for you, one moment please."),
                ("caller", "Sure. I do not remember ordering anything new."),
                ("agent", "It is the data package of last month. It will not be charged again."),
                ("caller", "I see. Please cancel that package for me."),
            ),
        ),
    ),
}


def render(folder: Path = FOLDER) -> int:
    """Speak every line. Returns how many. Raises ``SpeechUnavailable``."""
    folder.mkdir(parents=True, exist_ok=True)
    listed: dict[str, Any] = {}
    for lang, language in LANGUAGES.items():
        scripts = [
            [_line(folder, f"{lang}-{script}-{line}.wav", lang, who, text) for line, (who, text) in enumerate(lines, 1)]
            for script, lines in enumerate(language.scripts, 1)
        ]
        listed[lang] = {"key": language.key, "scripts": scripts}
    (folder / "voices.json").write_text(json.dumps(listed, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return sum(len(script) for language in listed.values() for script in language["scripts"])


def _line(folder: Path, name: str, lang: str, who: str, text: str) -> dict[str, object]:
    voice = AGENT_VOICE[lang] if who == "agent" else None
    sound = synthesize(text, lang, voice=voice)[RATES[0]]
    (folder / name).write_bytes(sound)
    with wave.open(io.BytesIO(sound), "rb") as spoken:
        ms = spoken.getnframes() * 1000 // spoken.getframerate()
    return {"who": who, "file": name, "ms": ms, "text": text}
