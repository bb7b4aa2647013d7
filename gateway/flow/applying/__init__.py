"""What step 5 is made of: what a word is about, what it does, who is told, which papers and cases come with it (回执处理)."""
