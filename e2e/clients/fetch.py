"""Gets a URL by urllib: URL CA-FILE."""
import ssl
import sys
import urllib.request

url, authority = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
with urllib.request.urlopen(url, timeout=10, context=context) as response:
    print(response.status, response.read().decode())
