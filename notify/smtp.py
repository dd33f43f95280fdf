"""The mail server: reached by TLS with a checked certificate, and what it says sorted into for good and for now."""

import smtplib
import ssl

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend
from django.utils.functional import cached_property
from django.utils.translation import gettext_noop

from web.sentences import Sentence

SECONDS = 10


class Refused(Exception):
    """The server did not take a mail; `is_final`: and will not take it another time."""

    def __init__(self, sentence: Sentence, is_final: bool) -> None:
        super().__init__(sentence.english)
        self.sentence, self.is_final = sentence, is_final


class _Backend(EmailBackend):
    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """Trusts PORTAL_MAIL_CA_FILE where it is set, else what the machine trusts."""
        return ssl.create_default_context(cafile=settings.MAIL_CA_FILE or None)


def send(mail: EmailMultiAlternatives) -> None:
    """Hands one mail to the server. Raises Refused."""
    mail.connection = _Backend(
        host=settings.MAIL_HOST,
        port=settings.MAIL_PORT,
        username=settings.MAIL_USER,
        password=settings.MAIL_PASSWORD,
        use_tls=settings.MAIL_SECURITY == "starttls",
        use_ssl=settings.MAIL_SECURITY == "tls",
        timeout=SECONDS,
    )
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise _refused(code, text) from error
    except smtplib.SMTPAuthenticationError as error:
        # Of the portal's account: somebody will cure that.
        raise Refused(_said(error.smtp_code, error.smtp_error), False) from error
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error) from error
    except (OSError, smtplib.SMTPException) as error:
        silent = gettext_noop("The mail server does not answer: %(reason)s")
        raise Refused(Sentence(silent, {"reason": (str(error) or type(error).__name__)[:200]}), False) from error
    except ValueError as error:
        # An address or a header that no mail can have.
        raise Refused(Sentence(gettext_noop("The address cannot be written to.")), True) from error


def _refused(code: int, text: bytes | str) -> Refused:
    return Refused(_said(code, text), 500 <= code < 600)


def _said(code: int, text: bytes | str) -> Sentence:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    sentence = gettext_noop("The mail server says: %(code)s %(text)s")
    return Sentence(sentence, {"code": code, "text": " ".join(words.split())[:200]})
