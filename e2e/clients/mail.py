"""Sends a message by STARTTLS: SERVER CA-FILE SUBJECT."""
import smtplib
import ssl
import sys
from email.message import EmailMessage

server, authority, text = sys.argv[1:]
message = EmailMessage()
message["From"], message["To"], message["Subject"] = "app@example.com", "you@example.com", "test"
message.set_content(text)
with smtplib.SMTP(server, 25, timeout=10) as smtp:
    smtp.starttls(context=ssl.create_default_context(cafile=authority))
    refused = smtp.send_message(message)
    print(smtp.sock.version(), refused)
