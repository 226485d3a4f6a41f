"""What verifying a phone number means. Imports the standard library and phonenumbers only."""
