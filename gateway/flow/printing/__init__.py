"""Papers for print (文书): what each says, laid out once as a Word template, given out as DOCX and as PDF."""
