"""What verifying a phone number means. Imports the standard library, phonenumbers and
langcodes only.
"""
