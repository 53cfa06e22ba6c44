describe('the console', () => {
  it.skip('needs Chromium: apt-get install chromium, or CHROMIUM=path')
})
