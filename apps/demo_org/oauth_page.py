"""The HTML of the sign-in and consent page.

Belongs here: markup only. What a page leads to is ``oauth_authorize.py``.
"""

from collections.abc import Mapping
from html import escape
from string import Template

_PAGE = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title | Demo org</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; background: #f3f3f3; color: #181818; margin: 0; }
  main { max-width: 26rem; margin: 10vh auto; background: #fff; padding: 2rem; border-radius: .25rem;
         border: 1px solid #c9c9c9; }
  h1 { font-size: 1.25rem; margin-top: 0; }
  label { display: block; font-weight: 600; }
  input[type=text] { width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; margin-bottom: 1rem; }
  button { font: inherit; padding: .5rem 1.25rem; margin-right: .5rem; }
  .problem { color: #b60554; }
</style>
</head>
<body><main>
$content
</main></body>
</html>
"""
)
_FORM = Template(
    """<h1>$title</h1>
$problem<form method="post" action="/services/oauth2/authorize">
$hidden
$who
<p>The app asks to:</p>
<ul>
$scopes
</ul>
<button type="submit" name="decision" value="allow">Allow</button>
<button type="submit" name="decision" value="deny" formnovalidate>Deny</button>
</form>"""
)
_USERNAME = Template(
    """<label for="username">Username</label>
<input id="username" type="text" name="username" value="$username" autocomplete="username" autofocus required>"""
)
_SCOPES = {
    "api": "Manage user data via APIs (api)",
    "web": "Manage user data via Web browsers (web)",
    "full": "Full access (full)",
    "id": "Access the identity URL service (id)",
    "refresh_token": "Perform requests at any time (refresh_token, offline_access)",
}


def consent_page(
    fields: Mapping[str, str], scopes: list[str], *, username: str, signed_in: bool, problem: str | None
) -> str:
    """Return the page that asks who is there (unless the browser knows) and whether the app may come in.

    ``fields`` go back with the form as they came.
    """
    title = "Allow access?" if signed_in else "Sign in to the demo org"
    who = f"<p>Signed in as {escape(username)}.</p>" if signed_in else _USERNAME.substitute(username=escape(username))
    content = _FORM.substitute(
        title=title,
        problem=f'<p class="problem" role="alert">{escape(problem)}</p>\n' if problem else "",
        hidden="\n".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
        ),
        who=who,
        scopes="\n".join(f"<li>{escape(_SCOPES.get(scope, scope))}</li>" for scope in scopes),
    )
    return _PAGE.substitute(title=title, content=content)


def message_page(title: str, text: str) -> str:
    """Return a page that only says something."""
    return _PAGE.substitute(title=escape(title), content=f"<h1>{escape(title)}</h1>\n<p>{escape(text)}</p>")
