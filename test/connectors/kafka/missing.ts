describe('a real Kafka', () => {
  it.skip(`is not to be had here: ${process.env['DHAARA_KAFKA_MISSING']}`, () => {})
})
